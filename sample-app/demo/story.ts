import { setTimeout as milliseconds } from 'node:timers/promises';
import type { EmbeddedProvider } from '../provider/embedded-provider.js';
import type { Fault } from '../provider/fault.js';
import type { Stage } from './stage.js';

const seconds = (count: number): Promise<void> => milliseconds(count * 1000);

/** A bad half minute in the life of an identity provider. */
export async function playStory(stage: Stage, provider: EmbeddedProvider): Promise<void> {
  await stage.open();
  await stage.play('steady traffic', () => seconds(2));

  await stage.play('rotation, old key still published', async () => {
    await stage.rotateWithOverlap();
    await seconds(3);
  });
  await stage.play('rotation, old keys withdrawn', async () => {
    await stage.rotateWithoutOverlap();
    await seconds(3);
  });
  await stage.play('rotation in a flood of forgeries', () =>
    stage.flooded(async () => {
      await seconds(1.5);
      await stage.rotateWithoutOverlap();
      await seconds(2.5);
    }),
  );

  // Each begins with a token of an unknown key, so that the API has to ask the provider just now.
  const turn = async (fault: Fault): Promise<void> => {
    provider.fail(fault);
    stage.forgeOne();
    await seconds(4);
  };
  await stage.play('provider is down', () => turn('down'));
  await stage.play('provider answers HTML', () => turn('html'));
  await stage.play('provider hangs', () => turn('hang'));
  await stage.play('provider is well again', async () => {
    await turn('none');
    await stage.close();
  });
}
