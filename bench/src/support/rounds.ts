type Rounds = { rounds: number; signal: AbortSignal };

export interface Sides {
  measured: () => Promise<number>;
  reference: () => Promise<number>;
}

/** Runs both sides in turn, `rounds` times. */
export function alternate(options: Rounds, sides: Sides): Promise<{ measured: number[]; reference: number[] }> {
  return inTurns(options, { ...sides });
}

/**
 * Runs any number of sides in turn, `rounds` times. The side that goes first changes, so that a drift of
 * the machine favours none.
 */
export async function inTurns<Name extends string, Value>(
  { rounds, signal }: Rounds,
  sides: Readonly<Record<Name, () => Promise<Value>>>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(sides) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Value[]>;
  for (let round = 0; round < rounds; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      signal.throwIfAborted();
      values[name].push(await sides[name]());
    }
  }
  return values;
}
