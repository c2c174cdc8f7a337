import { Clock, type TokenError } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { TokenWatcher } from '../../lib/authentication/watch/token-watcher.js';

const DAY = 86_400;

/** A watcher on the clock of the test, whose keys never change, and tokens of any lifetime. */
function watcherOn(clock: ManualClock, watching: Clock = clock) {
  const issuers = [{ name: 'issuer', clockTolerance: 0, maxTokenAge: undefined }];
  const watcher: TokenWatcher = Reflect.construct(TokenWatcher, [
    { assertStillValid: async () => undefined },
    { issuers },
    { get: () => ({ metadata$: NEVER }) },
    watching,
  ]);
  const start = Math.floor(clock.now() / 1000);
  const ended: string[] = [];
  const watch = (name: string, seconds: number) =>
    watcher.watch(
      name,
      { issuer: 'issuer', claims: { iss: 'issuer', exp: start + seconds } },
      ({ code }: TokenError) => {
        ended.push(`${name} ${code}`);
      },
    );
  return { watcher, watch, ended };
}

describe('TokenWatcher', () => {
  it('[W11] keeps one timer for ten thousand tokens, and none when they are gone', () => {
    const clock = new ManualClock();
    const { watcher, watch } = watcherOn(clock);
    const before = clock.pendingTimers;
    const stops = Array.from({ length: 10_000 }, (_, index) => watch(`t${index}`, 3600 + (index % 600)));
    expect(clock.pendingTimers - before).toBe(1);
    expect(watcher.size).toBe(10_000);
    for (const stop of stops) stop();
    expect(watcher.size).toBe(0);
    expect(clock.pendingTimers - before).toBe(0);
  });

  it('reports each token once, in the order in which they end', async () => {
    const clock = new ManualClock();
    const { watch, ended } = watcherOn(clock);
    watch('second', 20);
    watch('first', 10);
    const stop = watch('stopped', 15);
    stop();
    stop();
    await clock.advance('9s');
    expect(ended).toEqual([]);
    await clock.advance('2s');
    expect(ended).toEqual(['first AUTH_TOKEN_EXPIRED']);
    await clock.advance('1h');
    expect(ended).toEqual(['first AUTH_TOKEN_EXPIRED', 'second AUTH_TOKEN_EXPIRED']);
  });

  it('reports every token, and those that end later, when a callback throws', async () => {
    const clock = new ManualClock();
    const { watcher, watch, ended } = watcherOn(clock);
    const start = Math.floor(clock.now() / 1000);
    const token = { issuer: 'issuer', claims: { iss: 'issuer', exp: start + 10 } };
    watcher.watch('throwing', token, () => {
      throw new Error('of the application');
    });
    watch('same-second', 10);
    watch('later', 20);
    await clock.advance('11s');
    expect(ended).toEqual(['same-second AUTH_TOKEN_EXPIRED']);
    await clock.advance('10s');
    expect(ended).toEqual(['same-second AUTH_TOKEN_EXPIRED', 'later AUTH_TOKEN_EXPIRED']);
    expect(watcher.size).toBe(0);
  });

  it('reports no token that a callback of the same second has stopped watching', async () => {
    const clock = new ManualClock();
    const { watcher, watch, ended } = watcherOn(clock);
    const start = Math.floor(clock.now() / 1000);
    const stops: (() => void)[] = [];
    watcher.watch('first', { issuer: 'issuer', claims: { iss: 'issuer', exp: start + 10 } }, () => {
      for (const stop of stops) stop();
    });
    stops.push(watch('second', 10));
    await clock.advance('11s');
    expect(ended).toEqual([]);
  });

  it('reports a thousand tokens that end in one second in several turns of the event loop', async () => {
    const clock = new ManualClock();
    const { watcher, watch } = watcherOn(clock);
    const token = { issuer: 'issuer', claims: { iss: 'issuer', exp: Math.floor(clock.now() / 1000) + 10 } };
    const turns: number[] = [];
    let inTurn = 0;
    const count = (): void => {
      if (inTurn++ === 0)
        setImmediate(() => {
          turns.push(inTurn);
          inTurn = 0;
        });
    };
    for (let index = 0; index < 1000; index += 1) watcher.watch(`t${index}`, token, count);
    await clock.advance('11s');
    // What is watched while others end, and has ended already, ends with them.
    watch('late', 5);
    while (watcher.size > 0) await clock.advance(0);
    await clock.advance(0);
    expect(turns.reduce((sum, each) => sum + each, 0)).toBe(1000);
    expect(Math.max(...turns)).toBe(100);
  });

  it('reports no further token of a second when the module is closed meanwhile', async () => {
    const clock = new ManualClock();
    const { watcher, watch, ended } = watcherOn(clock);
    for (let index = 0; index < 1000; index += 1) watch(`t${index}`, 10);
    await clock.advance('11s');
    watcher.onModuleDestroy();
    const before = ended.length;
    expect(before).toBeLessThan(1000);
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
    expect(ended).toHaveLength(before);
    expect(clock.pendingTimers).toBe(0);
  });

  it('[W5] limits its timer to the longest of Node, and reports a token of sixty days when it ends', async () => {
    const clock = new ManualClock();
    const asked: number[] = [];
    class Recording extends Clock {
      now = () => clock.now();
      monotonic = () => clock.monotonic();
      clearTimeout = (handle: number) => clock.clearTimeout(handle);
      setTimeout = (callback: () => void, milliseconds: number) => {
        asked.push(milliseconds);
        return clock.setTimeout(callback, milliseconds);
      };
    }
    const { watch, ended } = watcherOn(clock, new Recording());
    watch('long', 60 * DAY);
    await clock.advance('59d');
    expect(ended).toEqual([]);
    await clock.advance('2d');
    expect(ended).toEqual(['long AUTH_TOKEN_EXPIRED']);
    expect(Math.max(...asked)).toBe(2_147_483_647);
  });

  it('reports nothing more, and leaves no timer, after the module is closed', async () => {
    const clock = new ManualClock();
    const { watcher, watch, ended } = watcherOn(clock);
    const before = clock.pendingTimers;
    watch('open', 10);
    watcher.onModuleDestroy();
    watch('late', 10);
    expect(clock.pendingTimers).toBe(before);
    await clock.advance('1m');
    expect(ended).toEqual([]);
  });
});
