import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MetadataRefreshError } from '../../../lib/errors/metadata.errors.js';
import { logMetadataEvents, logPlainHttp } from '../../../lib/metadata/metadata-log.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

/** A logger that keeps its lines, level first. */
function recorder() {
  const lines: string[] = [];
  const at = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
  return { lines, logger: { log: at('log'), warn: at('warn'), error: at('error') } };
}

/** What is logged when these events are emitted. */
function linesOf(...events: readonly object[]): readonly string[] {
  const { lines, logger } = recorder();
  const events$ = new Subject<object>();
  Reflect.apply(logMetadataEvents, undefined, [{ events$ }, logger]);
  for (const event of events) events$.next({ issuer: 'main', ...event });
  return lines;
}

const error = new MetadataRefreshError('timeout', 'The issuer did not answer');
const [failed, succeeded] = [
  { type: 'refresh-failed', error },
  { type: 'refresh-succeeded', trigger: 'automatic' },
];

describe('the log', () => {
  it('logs one line when failures repeat, and one when a refresh succeeds again', () => {
    const lines = linesOf(succeeded, failed, failed, failed, succeeded, succeeded);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warn main: .*timeout.*The issuer did not answer/);
    expect(lines[1]).toMatch(/^log main: /);
  });

  it('logs nothing when a refresh starts or a snapshot was received', () => {
    expect(linesOf({ type: 'refresh-started' }, { type: 'snapshot-received', changed: true })).toEqual([]);
  });

  it.each([
    ['private', 'error'],
    ['weak', 'warn'],
  ])('logs a line when a key is skipped as %s, at level %s', (fault, level) => {
    expect(linesOf({ type: 'key-skipped', kid: 'a', fault })).toEqual([
      expect.stringMatching(`^${level} main: key a .*${fault}`),
    ]);
  });

  it('logs one bounded line of printable ASCII when key ids hold line breaks', () => {
    const kid = `a\nlog forged\u202e${'x'.repeat(1000)}`;
    const [line = '', ...others] = linesOf({
      type: 'metadata-changed',
      metadata: { jwksUri: 'https://issuer.test/keys' },
      isFirst: false,
      addedKeyIds: [kid],
      withdrawnKeyIds: [],
      replacedKeyIds: [],
    });
    expect(others).toEqual([]);
    expect(line).toMatch(/^[\x20-\x7e]{1,250}$/);
  });
});

describe('logPlainHttp', () => {
  const warningsOf = (issuer: string, requireHttps = false) => {
    const { lines, logger } = recorder();
    logPlainHttp(trustedIssuer({ issuer, metadata: { requireHttps } }).metadata, logger);
    return lines.length;
  };

  it.each([
    'http://localhost',
    'http://127.0.0.1:8080',
    'http://127.1',
    'http://[::1]',
    'http://a.localhost',
  ])('logs nothing when the host is a loopback address: %s', (issuer) => {
    expect(warningsOf(issuer)).toBe(0);
  });

  it.each([
    'http://issuer.internal',
    'http://10.0.0.1',
    'http://127.0.0.1.evil.test',
    'http://localhost.evil.test',
  ])('logs a line when the host is another machine: %s', (issuer) => {
    expect(warningsOf(issuer)).toBe(1);
  });

  it('logs nothing when https is required', () => {
    expect(warningsOf('https://issuer.test', true)).toBe(0);
  });
});
