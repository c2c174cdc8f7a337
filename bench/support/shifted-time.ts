const realNow = Date.now.bind(Date);
const realMonotonic = performance.now.bind(performance);
let offset = 0;

/** Milliseconds by which the clock has been shifted forward. */
export function clockOffset(): number {
  return offset;
}

/** `Date.now()` of the shifted clock. */
export function shiftedNow(): number {
  return realNow() + Math.round(offset);
}

/** `performance.now()` of the shifted clock. */
export function shiftedMonotonic(): number {
  return realMonotonic() + offset;
}

/** Moves the clock; the caller re-arms the timers. */
export function skip(milliseconds: number): void {
  offset += Math.max(0, milliseconds);
}
