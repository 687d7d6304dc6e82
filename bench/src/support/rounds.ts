export interface Sides {
  measured: () => Promise<number>;
  reference: () => Promise<number>;
}

/**
 * Runs both sides in turn, `rounds` times. The side that goes first changes, so that a drift of the
 * machine favours neither.
 */
export async function alternate(
  { rounds, signal }: { rounds: number; signal: AbortSignal },
  sides: Sides,
): Promise<{ measured: number[]; reference: number[] }> {
  const values = { measured: [] as number[], reference: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (["measured", "reference"] as const) : (["reference", "measured"] as const);
    for (const side of order) {
      signal.throwIfAborted();
      values[side].push(await sides[side]());
    }
  }
  return values;
}
