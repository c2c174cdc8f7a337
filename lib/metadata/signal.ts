/** Wakes everybody who waits at this moment; whoever comes later waits for the next time. */
export class Signal {
  #wake: () => void = () => undefined;
  #next = this.#prepare();

  /** Resolves the next time somebody calls {@link notify}. */
  get next(): Promise<void> {
    return this.#next;
  }

  notify(): void {
    const wake = this.#wake;
    this.#next = this.#prepare();
    wake();
  }

  #prepare(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
