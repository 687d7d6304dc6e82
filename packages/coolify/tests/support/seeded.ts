import { test } from "bun:test";

/** Random numbers that a seed repeats (mulberry32). */
export function seeded(seed: number) {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  /** A whole number from `min` to `max`. */
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(items: readonly [T, ...T[]]): T => items[int(0, items.length - 1)] ?? items[0];
  const text = (letters: string, min: number, max: number) =>
    Array.from({ length: int(min, max) }, () => letters.charAt(int(0, letters.length - 1))).join("");
  return { next, int, pick, text };
}

type Seeded = ReturnType<typeof seeded>;

const SEED = Number(process.env["AGENTPOD_TEST_SEED"] ?? Date.now() % 1_000_000);
const ROUNDS = 2000;

/** Runs `check` with random values; a failure names the seed that repeats it. */
export function property(name: string, check: (random: Seeded) => void): void {
  test(name, () => {
    const random = seeded(SEED);
    try {
      for (let round = 0; round < ROUNDS; round++) check(random);
    } catch (error) {
      throw new Error(`repeat with AGENTPOD_TEST_SEED=${SEED}`, { cause: error });
    }
  });
}
