/** What was measured, by name: one value per round. */
export type Samples<Name extends string = string> = Readonly<Record<Name, readonly number[]>>;

/**
 * Measures every subject once per round, in an order drawn anew for each: a temporary disturbance of the machine, or
 * garbage of the subject before, affects all of them alike.
 */
export async function inRounds<T>(
  subjects: ReadonlyMap<string, T>,
  rounds: number,
  measure: (subject: T, name: string) => Promise<number>,
): Promise<Samples> {
  const samples: Record<string, number[]> = Object.fromEntries(
    [...subjects.keys()].map((name) => [name, []]),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, subject] of shuffled([...subjects])) {
      samples[name]?.push(await measure(subject, name));
    }
  }
  return samples;
}

function shuffled<T>(items: readonly T[]): T[] {
  const drawn = items.map((item) => ({ item, order: Math.random() }));
  return drawn.toSorted((a, b) => a.order - b.order).map(({ item }) => item);
}
