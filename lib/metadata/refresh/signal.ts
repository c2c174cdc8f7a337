/**
 * Wakes everybody who waits. Whoever leaves leaves nothing behind: a promise shared by all would keep a trace of each
 * until it is settled, and that may take weeks.
 */
export class Signal {
  readonly #waiting = new Set<() => void>();
  #count = 0;

  /** How often it has been given; to notice what came between a look and the wait. */
  get count(): number {
    return this.#count;
  }

  /** @returns leaves before it is given */
  onNext(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  notify(): void {
    this.#count++;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }
}
