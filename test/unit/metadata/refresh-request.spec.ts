import { describe, expect, it } from 'vitest';
import { MetadataRefreshError } from '../../../lib/errors/metadata.errors.js';
import { IssuerMetadata } from '../../../lib/keys/issuer-metadata.js';
import { RefreshAttempt } from '../../../lib/metadata/refresh/refresh-attempt.js';
import { decide, type TimedRequest } from '../../../lib/metadata/refresh/refresh-request.js';

const stale = new IssuerMetadata('https://issuer.test', 'https://issuer.test/jwks', []);
const newer = new IssuerMetadata('https://issuer.test', 'https://issuer.test/jwks', []);
const start = { started: 3, deadline: 10_000 };
const failure = new MetadataRefreshError('timeout', 'no answer');

/** An attempt that started after the request, unless its number says otherwise. */
function attempt(number: number, end?: 'succeeded' | 'failed', provesAbsence = true): RefreshAttempt {
  const made = new RefreshAttempt();
  made.start(number, 'on-demand', false, 0);
  made.provesAbsence = provesAbsence;
  if (end) made.settle(end === 'failed' ? failure : undefined);
  return made;
}

function decisionOf(request: TimedRequest, made: RefreshAttempt, usable?: IssuerMetadata): string {
  return decide({ request, attempt: made, start }, usable).type;
}

describe('decide', () => {
  const byKid: TimedRequest = { stale, kid: 'a', reason: 'key-not-found' };
  const withoutKid: TimedRequest = { stale, reason: 'key-not-found' };

  it.each([
    ['waits for an attempt that is running', byKid, attempt(4), stale, 'wait'],
    [
      'waits for the next attempt when the first started before the request',
      byKid,
      attempt(3, 'succeeded'),
      stale,
      'wait-for-next',
    ],
    [
      'waits for the next attempt when the first proves nothing',
      byKid,
      attempt(4, 'succeeded', false),
      stale,
      'wait-for-next',
    ],
    [
      'finds the key absent when a later attempt did not bring it',
      byKid,
      attempt(4, 'succeeded'),
      newer,
      'absent',
    ],
    ['fails with a later attempt', byKid, attempt(4, 'failed'), stale, 'failed'],
    ['fails when there is no usable snapshot', byKid, attempt(4, 'succeeded'), undefined, 'failed'],
    ['resolves without kid as soon as the snapshot is another one', withoutKid, attempt(4), newer, 'resolve'],
    [
      'finds a key without kid absent when the snapshot stays',
      withoutKid,
      attempt(4, 'succeeded'),
      stale,
      'absent',
    ],
    ['fails without kid like with one', withoutKid, attempt(4, 'failed'), stale, 'failed'],
    [
      'resolves a bad signature with another snapshot',
      { stale, kid: 'a', reason: 'bad-signature' },
      attempt(3),
      newer,
      'resolve',
    ],
    ['resolves with any snapshot when there was none', { acceptsAny: true }, attempt(3), newer, 'resolve'],
  ] as const)('%s', (_what, request, made, usable, expected) => {
    expect(decisionOf(request, made, usable)).toBe(expected);
  });
});
