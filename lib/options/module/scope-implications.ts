type Implications = Readonly<Record<string, readonly string[]>>;

/** Returns for each scope all those that imply it, directly or through others. @param implications without cycles */
export function scopesThatImply(implications: Implications): ReadonlyMap<string, readonly string[]> {
  const impliedBy = new Map<string, string[]>();
  for (const wider of Object.keys(implications)) {
    for (const scope of reachableFrom(wider, implications))
      impliedBy.set(scope, [...(impliedBy.get(scope) ?? []), wider]);
  }
  return impliedBy;
}

/** Returns a scope that implies itself; `undefined` when there is none. */
export function cycleIn(implications: Implications): string | undefined {
  return Object.keys(implications).find((scope) => reachableFrom(scope, implications).has(scope));
}

function reachableFrom(scope: string, implications: Implications): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [scope];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const implied = Object.hasOwn(implications, next) ? (implications[next] ?? []) : [];
    for (const narrower of implied) {
      if (reached.has(narrower)) continue;
      reached.add(narrower);
      pending.push(narrower);
    }
  }
  return reached;
}
