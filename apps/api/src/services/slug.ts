/** So that an addon's id of 22 characters and a dash in front still make a DNS label of 63. */
const lengthMax = 40;
/** Of a slug that gets a number or random letters behind it. */
const suffixed = (base: string, suffix: string): string => `${base.slice(0, lengthMax - suffix.length - 1).replace(/-+$/, "")}-${suffix}`;

/** A DNS label of at most 40 characters for any name; `sandbox` for one without Latin letters or digits. */
export function slugify(name: string): string {
  const slug = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, lengthMax)
    .replace(/-+$/, "");
  return slug === "" ? "sandbox" : slug;
}

const letters = "abcdefghjkmnpqrstuvwxyz23456789";

function randomSuffix(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");
}

/** `base`, `base-2` to `base-9`, then random ends: free ones come soon however many share the name. */
export function* slugCandidates(base: string): Generator<string, void> {
  yield base;
  for (let number = 2; number <= 9; number += 1) yield suffixed(base, String(number));
  for (let tries = 0; tries < 50; tries += 1) yield suffixed(base, randomSuffix());
}
