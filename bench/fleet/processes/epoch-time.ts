/** Milliseconds since the epoch, and fractions of them: the same in all processes of one machine. */
export function epochTime(): number {
  return performance.timeOrigin + performance.now();
}
