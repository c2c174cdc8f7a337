const realNow = Date.now.bind(Date);
const realMonotonic = performance.now.bind(performance);
let offset = 0;

/** How far the clock has been wound forward, in milliseconds. */
export function woundOffset(): number {
  return offset;
}

/** `Date.now()` of the wound clock. */
export function woundNow(): number {
  return realNow() + Math.round(offset);
}

/** `performance.now()` of the wound clock. */
export function woundMonotonic(): number {
  return realMonotonic() + offset;
}

/** Moves the clock; timers have to be armed anew. */
export function skip(milliseconds: number): void {
  offset += Math.max(0, milliseconds);
}
