/** Longest slug: behind an addon's id (22) and a dash it still is a DNS label (63). */
const SLUG_LENGTH_MAX = 40;
const FALLBACK = "sandbox";

/** Letters that NFKD leaves whole, by what is commonly written for them. */
const TRANSLITERATED: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ð: "d",
  þ: "th",
  ł: "l",
  đ: "d",
  ı: "i",
};

const USUAL_PREFIXES = ["acp", "code", "vnc"];

/**
 * A DNS label of at most 40 characters for any name, such as "cafe-demo" for "Café Démo!".
 * @param hostPrefixes what stands before another project's slug in host names: with `code` among them,
 * neither `code-review` nor `code`, whose second would be `code-2`, may be a slug
 */
export function slugify(name: string, hostPrefixes: readonly string[] = USUAL_PREFIXES): string {
  const words = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[ßæœøðþłđı]/g, (letter) => TRANSLITERATED[letter] ?? "")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-");
  const label = cut(words.replace(/^-/, ""), SLUG_LENGTH_MAX);
  if (label === "") return FALLBACK;
  // Nameprep would read "xn--" as an encoded name; a run of dashes never survives, so it cannot occur.
  const isReserved = hostPrefixes.some((prefix) => label === prefix || label.startsWith(`${prefix}-`));
  return isReserved ? cut(`p-${label}`, SLUG_LENGTH_MAX) : label;
}

/** `base`, `base-2` to `base-9`, then ones with random ends, never the same; all within the length. */
export function* slugCandidates(base: string): Generator<string, never> {
  yield base;
  for (let number = 2; number <= 9; number += 1) yield withSuffix(base, String(number));
  for (;;) yield withSuffix(base, randomSuffix());
}

function withSuffix(base: string, suffix: string): string {
  return `${cut(base, SLUG_LENGTH_MAX - suffix.length - 1)}-${suffix}`;
}

function cut(label: string, length: number): string {
  return label.slice(0, length).replace(/-+$/, "");
}

/** 40 bits, so that two projects of the same name never meet. */
function randomSuffix(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => (byte & 31).toString(32)).join("");
}
