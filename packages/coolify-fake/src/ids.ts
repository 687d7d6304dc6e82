const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

export type Ids = ReturnType<typeof createIds>;

/** Coolify's ids: 24 lower-case alphanumerics for the outside, growing numbers inside. One seed gives the same ids. */
export function createIds(seed: number | undefined) {
  const random = seed === undefined ? Math.random : seeded(seed);
  const last = new Map<string, number>();
  const letters = (length: number) => {
    let text = "";
    for (let at = 0; at < length; at++) text += LETTERS[Math.floor(random() * LETTERS.length)];
    return text;
  };
  return {
    uuid: () => letters(24),
    letters,
    hex: (length: number) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join(""),
    /** 1, 2, 3 ... for each kind of thing. */
    next(kind: string): number {
      const id = (last.get(kind) ?? 0) + 1;
      last.set(kind, id);
      return id;
    },
  };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
