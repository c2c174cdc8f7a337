import 'reflect-metadata';
import { isInterceptedBy } from '../../authorized/guard-metadata.js';
import { endsOnExpiry } from '../../authorized/requirements/requirements.js';
import { SSE, StreamExpiryInterceptor } from '../../authorized/stream-expiry.interceptor.js';
import type { ScannedHandler } from '../scan-handlers.js';

/**
 * Says that a stream would outlive its token although `onExpiry: 'end'` holds for it: interceptors of an overridden method
 * are not inherited, as requirements are. `undefined` when nothing is wrong.
 */
export function streamGap({ class: owner, calledAs, method, handler }: ScannedHandler): string | undefined {
  if (Reflect.getMetadata(SSE, handler) !== true || !endsOnExpiry(owner, handler)) return undefined;
  const classes = calledAs ? [owner, calledAs] : [owner];
  const isEnded =
    isInterceptedBy(StreamExpiryInterceptor, handler) ||
    classes.every((target) => isInterceptedBy(StreamExpiryInterceptor, target));
  if (isEnded) return undefined;
  return `${owner.name}.${method} overrides a method with onExpiry: 'end', but its own stream would not end: put @Authorized({ onExpiry: 'end' }) on it or on its class`;
}
