import type { IncomingMessage } from 'node:http';
import { recipeCaller } from '../../recipe/jwt.strategy.js';
import { bucketCount, type Side } from './recorder.js';

/** Both sides name themselves in `User-Agent`. */
const callers: Readonly<Record<string, Side | undefined>> = {
  'nestjs-resilient-auth': 'library',
  [recipeCaller]: 'recipe',
};

/** What the provider sees: discovery and key set requests, by the API that sent them. */
export class ProviderLog {
  readonly buckets = Array.from({ length: bucketCount }, emptyCount);
  totals = emptyCount();

  advance(): void {
    this.buckets.push(emptyCount());
    this.buckets.shift();
  }

  reset(): void {
    this.totals = emptyCount();
  }

  /** @returns the side that sent the request; undefined for other clients, such as curl */
  note({ headers }: IncomingMessage): Side | undefined {
    const side = callers[headers['user-agent'] ?? ''];
    if (!side) return undefined;
    this.totals[side] += 1;
    const bucket = this.buckets.at(-1);
    if (bucket) bucket[side] += 1;
    return side;
  }
}

function emptyCount(): Record<Side, number> {
  return { library: 0, recipe: 0 };
}
