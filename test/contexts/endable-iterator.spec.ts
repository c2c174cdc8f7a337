import { describe, expect, it } from 'vitest';
import { endable } from '../../lib/graphql/endable-iterator.js';

async function* failing(): AsyncGenerator<never, void> {
  yield* [];
  throw new Error('of the source');
}

describe('endable', () => {
  it('stops watching when the source fails, where graphql-ws calls no return', async () => {
    let stops = 0;
    const values = endable(failing(), () => () => void stops++);
    await expect(values.next()).rejects.toThrow('of the source');
    expect(stops).toBe(1);
  });

  it('stops watching when the source is complete', async () => {
    let stops = 0;
    const values = endable(
      (async function* () {
        yield* [];
      })(),
      () => () => void stops++,
    );
    expect(await values.next()).toEqual({ done: true, value: undefined });
    expect(stops).toBe(1);
  });
});
