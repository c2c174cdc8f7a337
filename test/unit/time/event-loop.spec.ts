import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as EventLoop from '../../../lib/time/event-loop.js';

describe.each<[string, () => void, () => void]>([
  ['are missing', () => vi.stubGlobal('setImmediate', undefined), vi.unstubAllGlobals],
  [
    'are faked',
    () => vi.useFakeTimers({ toFake: ['setImmediate', 'queueMicrotask', 'setTimeout'] }),
    vi.useRealTimers,
  ],
])('the event loop where the global functions %s', (_, replace, restore) => {
  let loop: typeof EventLoop;

  beforeEach(async () => {
    vi.resetModules();
    replace();
    loop = await import('../../../lib/time/event-loop.js');
  });
  afterEach(restore);

  it('calls back at the end of the turn', async () => {
    await expect(new Promise<string>((resolve) => loop.atEndOfTurn(() => resolve('called')))).resolves.toBe(
      'called',
    );
    await expect(loop.nextTurn()).resolves.toBeUndefined();
  });

  it('calls back when the code that runs now has returned', async () => {
    const calls: string[] = [];
    loop.soon(() => calls.push('later'));
    calls.push('now');
    await loop.nextTurn();
    expect(calls).toEqual(['now', 'later']);
  });
});

describe('parseJsonObject', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('returns the object where there is no global TextDecoder, as in jsdom', async () => {
    vi.resetModules();
    vi.stubGlobal('TextDecoder', undefined);
    const { parseJsonObject } = await import('../../../lib/token/parse/strict-json.js');
    expect(parseJsonObject(Buffer.from('{"name":"Zoë"}'))).toMatchObject({ object: { name: 'Zoë' } });
  });
});
