import { HOUR, MINUTE, SECOND, type Cell } from '../cell.js';
import type { Row } from './row.js';

const AT_ONCE = 10;
const WAVES = 5;

/** Waves of tokens, a second apart. */
async function waves(cell: Cell, kids: readonly string[]): Promise<void> {
  for (let wave = 0; wave < WAVES; wave += 1) {
    const tokens = await Promise.all(kids.map((kid) => cell.provider.mint(AT_ONCE / kids.length, kid)));
    await cell.probeAll('valid', tokens.flat());
    await cell.advance(SECOND);
  }
}

/** One token every half minute for an hour. */
async function anHour(cell: Cell, probe: () => Promise<void>): Promise<void> {
  const begun = cell.now();
  for (let time = begun; time < begun + HOUR; time += 30 * SECOND) {
    await cell.advanceTo(time);
    await probe();
  }
}

async function validForAnHour(cell: Cell): Promise<void> {
  await anHour(cell, async () => {
    const [token = ''] = await cell.provider.mint(1);
    await cell.probe('valid', token);
  });
}

export const rollovers: readonly Row[] = [
  {
    id: 'rollover-overlap',
    title: 'Rollover with overlap',
    story:
      'A new key is published beside the old one and used at once; tokens of both keys come, ten at a time.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.warmUp();
      const old = await cell.provider.signingKey();
      await cell.provider.rotateKeys(true);
      cell.restored();
      await waves(cell, [old, await cell.provider.signingKey()]);
    },
  },
  {
    id: 'rollover-at-once',
    title: 'Rollover at once',
    story: 'The old key is replaced by a new one with no overlap; tokens of the new key come, ten at a time.',
    atOnce: 6,
    quick: true,
    run: async (cell) => {
      await cell.warmUp();
      await cell.provider.rotateKeys(false);
      cell.restored();
      await waves(cell, [await cell.provider.signingKey()]);
    },
  },
  {
    id: 'rollover-ten',
    title: 'Ten rollovers in a row',
    story: 'The key is replaced every ten seconds, ten times; ten tokens of the new key come after each.',
    atOnce: 6,
    quick: true,
    run: async (cell) => {
      await cell.warmUp();
      const begun = cell.now();
      for (let rollover = 0; rollover < 10; rollover += 1) {
        await cell.advanceTo(begun + rollover * 10 * SECOND);
        await cell.provider.rotateKeys(false);
        cell.restored();
        await cell.probeAll('valid', await cell.provider.mint(AT_ONCE));
      }
    },
  },
  {
    id: 'flapping',
    title: 'Flapping key set',
    story:
      'A new key is published beside the old one, but every other answer comes from a node that has not heard of it. ' +
      'For an hour, tokens of both keys come every half minute.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.warmUp();
      const old = await cell.provider.signingKey();
      await cell.provider.leaveOneNodeBehind();
      await cell.provider.rotateKeys(true);
      cell.restored();
      await anHour(cell, async () => {
        for (const kid of [await cell.provider.signingKey(), old])
          for (const token of await cell.provider.mint(1, kid)) await cell.probe('valid', token);
      });
    },
  },
  {
    id: 'moved',
    title: 'Moved jwks_uri',
    story:
      'The key set moves to a new address, which only discovery names, and the key is replaced. Tokens of the new key come ' +
      'every half minute for an hour.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.warmUp();
      await cell.provider.moveJwks();
      await cell.provider.rotateKeys(false);
      cell.restored();
      await validForAnHour(cell);
    },
  },
  {
    id: 'reused-kid',
    title: 'Reused kid',
    story:
      'The issuer gives its key new material under the old kid. New tokens come every half minute for an hour.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.warmUp();
      await cell.provider.replaceKeyMaterial();
      cell.restored();
      await validForAnHour(cell);
    },
  },
  {
    id: 'withdrawn',
    title: 'Withdrawn key',
    story:
      'Of two keys in use one is taken out of the set. For an hour, tokens of both come every half minute: those of the ' +
      'withdrawn key have to be refused sooner or later.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.boot();
      const [kept, withdrawn] = [await cell.provider.signingKey(), await cell.provider.publishKey()];
      for (const kid of [kept, withdrawn])
        for (const token of await cell.provider.mint(2, kid)) await cell.probe('valid', token);
      await cell.advance(2 * MINUTE);
      await cell.beginCount();
      await cell.provider.removeKey(withdrawn);
      cell.restored();
      await anHour(cell, async () => {
        const [good = '', bad = ''] = [
          ...(await cell.provider.mint(1, kept)),
          ...(await cell.provider.mint(1, withdrawn)),
        ];
        await cell.probe('valid', good);
        await cell.probe('withdrawn', bad);
      });
    },
  },
];
