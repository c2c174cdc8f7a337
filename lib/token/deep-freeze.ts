/** Freezes a JSON value at all levels. Applied after the signature is verified: it costs more than parsing. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
