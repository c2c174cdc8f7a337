/** What goes to and from Redis, second by second. */
export class Traffic {
  readonly #commands = new Map<number, number>();
  readonly #bytes = new Map<number, number>();

  /** @param at virtual milliseconds */
  add(at: number, commands: number, bytes: number): void {
    const second = Math.floor(at / 1000);
    this.#commands.set(second, (this.#commands.get(second) ?? 0) + commands);
    this.#bytes.set(second, (this.#bytes.get(second) ?? 0) + bytes);
  }

  /** Between two virtual times. */
  load(from: number, to: number): TrafficLoad {
    return { commands: summary(this.#commands, from, to), bytes: summary(this.#bytes, from, to) };
  }
}

export interface TrafficLoad {
  readonly commands: LoadPerSecond;
  readonly bytes: LoadPerSecond;
}

export interface LoadPerSecond {
  readonly average: number;
  /** The busiest second. */
  readonly peak: number;
}

function summary(perSecond: ReadonlyMap<number, number>, from: number, to: number): LoadPerSecond {
  const within = [...perSecond].filter(([second]) => second * 1000 >= from && second * 1000 < to);
  const values = within.map(([, value]) => value);
  const total = values.reduce((sum, value) => sum + value, 0);
  return { average: (total / (to - from)) * 1000, peak: values.reduce((a, b) => Math.max(a, b), 0) };
}

/** Bytes of a command, or of an array of strings, as the Redis protocol writes it. */
export function wireSize(parts: readonly (string | number)[]): number {
  const sizes = parts.map((part) => {
    const length = Buffer.byteLength(String(part));
    return `$${length}\r\n`.length + length + 2;
  });
  return `*${parts.length}\r\n`.length + sizes.reduce((sum, size) => sum + size, 0);
}
