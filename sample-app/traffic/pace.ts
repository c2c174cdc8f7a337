const tick = 10;
/** On a machine that cannot keep up, no more than this many milliseconds of calls are made up for at once. */
const catchUp = 100;

/** Calls a function at a steady rate, as many independent clients would. */
export class Pace {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly perSecond: number,
    private readonly act: () => void,
  ) {}

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.#timer) return;
    const interval = 1000 / this.perSecond;
    let dueAt = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (dueAt = Math.max(dueAt, now - catchUp); dueAt <= now; dueAt += interval) {
        this.act();
      }
    }, tick);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
