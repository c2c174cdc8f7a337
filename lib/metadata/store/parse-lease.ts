import { MetadataStoreError } from '../../errors/metadata.errors.js';
import type { FailureNotice, GrantedLease, MetadataLease, RefusedLease } from './metadata-store.js';
import { isFence } from './parse-stored.js';

/** Every member is read once and checked: a store may answer anything. @throws {MetadataStoreError} */
export function parseLease({
  isGranted,
  fence,
  handle,
  reason,
  retryAfter,
}: Partial<Record<keyof GrantedLease | keyof RefusedLease, unknown>>): MetadataLease {
  if (!isFence(fence))
    throw new MetadataStoreError('unavailable', 'The store answered a lease request without a fence');
  if (isGranted === true) return { isGranted, fence, handle: typeof handle === 'string' ? handle : '' };
  return {
    isGranted: false,
    fence,
    reason: reason === 'budget-spent' ? reason : 'held',
    retryAfter: duration(retryAfter),
  };
}

/** @throws {MetadataStoreError} */
export function parseNotice({
  fence,
  retryAfter,
}: Partial<Record<keyof FailureNotice, unknown>>): FailureNotice {
  if (!isFence(fence)) throw new MetadataStoreError('malformed', 'A failure notice has no fence');
  return { fence, retryAfter: duration(retryAfter) };
}

function duration(value: unknown): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : 0;
}
