import { MetadataStoreError } from '../../errors/store.error.js';
import { isFence } from './parse-stored.js';
import type { FailureNotice, MetadataLease } from './metadata-store.js';

/** Read once and checked: what a store answers may be of any kind. @throws {MetadataStoreError} */
export function judgeLease(
  issuer: string,
  { isMine, fence, retryAfter, isSpent, token }: Partial<Record<keyof MetadataLease, unknown>>,
): MetadataLease {
  if (!isFence(fence)) throw new MetadataStoreError('unavailable', 'The store gave a lease without a fence');
  return {
    issuer,
    isMine: isMine === true,
    fence,
    retryAfter: duration(retryAfter),
    isSpent: isSpent === true,
    token: typeof token === 'string' ? token : '',
  };
}

/** @throws {MetadataStoreError} */
export function judgeNotice({
  fence,
  retryAfter,
}: Partial<Record<keyof FailureNotice, unknown>>): FailureNotice {
  if (!isFence(fence)) throw new MetadataStoreError('malformed', 'A failure was told without a fence');
  return { fence, retryAfter: duration(retryAfter) };
}

function duration(value: unknown): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : 0;
}
