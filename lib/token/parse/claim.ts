/** Whether a claim is there: `null` counts as absent. */
export function isPresent(claim: unknown): boolean {
  return claim !== undefined && claim !== null;
}
