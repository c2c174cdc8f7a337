import type { Fault } from '../provider/fault.js';
import type { EmbeddedProvider } from '../provider/embedded-provider.js';
import type { Load } from './load/load.js';
import type { OutcomeWatch } from './load/outcome-watch.js';
import type { TokenStock } from './load/token-stock.js';

/** What the buttons of the page do. */
const actionNames = [
  'rotate',
  'rotate-without-overlap',
  'announce',
  'reuse-kid',
  'withdraw',
  'provider-none',
  'provider-down',
  'provider-hang',
  'provider-html',
  'provider-slow',
  'load-on',
  'load-off',
  'flood-on',
  'flood-off',
] as const;
export type ActionName = (typeof actionNames)[number];

export interface Action {
  /** Title of its row in the time line. */
  readonly title: string;
  /** Why tokens do not verify afterwards. Default: an unknown key. */
  readonly cause?: string;
  run(): Promise<void> | void;
}

export interface ActionParts {
  readonly provider: EmbeddedProvider;
  readonly stock: TokenStock;
  readonly load: Load;
  readonly watch: OutcomeWatch;
}

/** One entry for each button. */
export function actionsFor({ provider, stock, load, watch }: ActionParts): Record<ActionName, Action> {
  const signAnew = async (change: () => Promise<unknown>): Promise<void> => {
    watch.expectNewKey();
    await change();
    await stock.update();
  };
  const fail = (title: string, fault: Fault): Action => ({
    title,
    run: () => {
      provider.fail(fault);
      stock.restartNotice();
    },
  });
  const switchLoad = (title: string, change: Partial<Pick<Load, 'isOn' | 'isFlooding'>>): Action => ({
    title,
    run: () => {
      Object.assign(load, change);
      load.apply();
    },
  });
  return {
    rotate: {
      title: 'New signing key, the old one stays published',
      run: () => signAnew(() => provider.rotateKeys({ keepOld: true })),
    },
    'rotate-without-overlap': {
      title: 'New signing key, all others withdrawn',
      run: () => {
        watch.expectWithdrawal();
        return signAnew(() => provider.rotateKeys({ keepOld: false }));
      },
    },
    announce: {
      title: 'Next key published, not signing yet',
      run: async () => void (await provider.announceKey()),
    },
    'reuse-kid': {
      title: 'New signing key under the old key id',
      cause: 'signature does not match',
      run: () => {
        watch.expectWithdrawal();
        return signAnew(() => provider.reuseKid());
      },
    },
    withdraw: {
      title: 'Old keys withdrawn',
      run: async () => {
        watch.expectWithdrawal();
        await provider.withdrawOldKeys();
        await stock.update();
      },
    },
    'provider-none': fail('Provider works', 'none'),
    'provider-down': fail('Provider goes down', 'down'),
    'provider-hang': fail('Provider hangs: it accepts and never answers', 'hang'),
    'provider-html': fail('Provider answers a web page', 'html'),
    'provider-slow': fail('Provider is slow', 'slow'),
    'load-on': switchLoad('Load on', { isOn: true }),
    'load-off': switchLoad('Load off', { isOn: false }),
    'flood-on': switchLoad('Flood of forged tokens begins', { isFlooding: true }),
    'flood-off': switchLoad('Flood of forged tokens ends', { isFlooding: false }),
  };
}

export function isActionName(word: string): word is ActionName {
  return actionNames.some((name) => name === word);
}
