// Not the global ones: jsdom removes them, and fake timers replace them. Taken at import, for the same reason.
import { setImmediate } from 'node:timers';

/** Calls a function after this turn of the event loop, by no clock of an application's tests. */
export const atEndOfTurn = setImmediate;

/** Resolves after this turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    atEndOfTurn(resolve);
  });
}

/** Calls a function when the code that runs now has returned. */
export function soon(call: () => void): void {
  void Promise.resolve().then(call);
}
