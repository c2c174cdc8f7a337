import type { Figures } from './figures.js';
import { paint } from './report.js';

const redrawEvery = 100;
const clearLine = '\r\u001B[2K';

/** One line per phase; in a terminal the line of the current phase moves. */
export class Progress {
  private timer: NodeJS.Timeout | undefined;

  begin(figures: Figures): void {
    if (!process.stdout.isTTY) {
      return;
    }
    const startedAt = performance.now();
    this.timer = setInterval(() => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(`${clearLine}  … ${describe(figures)}  ${paint('dim', `${seconds} s`)}`);
    }, redrawEvery);
  }

  end(figures: Figures): void {
    clearInterval(this.timer);
    const isGood = figures.refused === 0 && figures.accepted === 0;
    const mark = isGood ? paint('green', '✓') : paint('red', '✗');
    process.stdout.write(`${process.stdout.isTTY ? clearLine : ''}  ${mark} ${describe(figures)}\n`);
  }
}

function describe({ name, requests, refused, forged, accepted }: Figures): string {
  const flood = forged > 0 ? ` · ${forged} forged, ${accepted} accepted` : '';
  return `${name.padEnd(34)} ${requests} requests, ${refused} refused${flood}`;
}
