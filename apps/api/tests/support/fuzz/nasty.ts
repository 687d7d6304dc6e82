import type { Random } from "../random.ts";

/** Texts that something somewhere does not expect. */
const texts: readonly string[] = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "a\udfffb",
  "\u202eetar\u202c",
  "\u200b\u200d\ufeff",
  "🚀👩‍👩‍👧‍👦",
  "e\u0301".repeat(200),
  "İıßﬁ",
  "نص عربي",
  "\r\nx-injected: 1",
  "../../../../etc/passwd",
  "..%2f..%2f",
  "%00%ff%zz",
  "' OR 1=1 --",
  '"); DROP TABLE projects; --',
  "%' ESCAPE '%",
  "${7*7}{{7*7}}$(id)`id`",
  "<script>alert(1)</script>",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "NaN",
  "-0",
  "1e309",
  "0x10",
  "9".repeat(400),
  "\\",
  '"',
  "~!@#$^&*()+={}[]|;:,<>?",
  "file:///etc/passwd",
  "http://127.0.0.1:1/a.git",
  "ext::sh -c true",
  "2026-02-30T25:61:61Z",
];

const lengths = [41, 101, 129, 513, 4_097, 20_000];

export function nastyText({ below, pick }: Random): string {
  return below(5) === 0 ? "n".repeat(pick(lengths)) : pick(texts);
}

const numbers = [0, -0, -1, 1, 1.5, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, -(2 ** 63), 1e308, 5e-324];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A value that JSON can have, of any type. */
export function nastyValue(random: Random): unknown {
  const { below, pick } = random;
  switch (below(9)) {
    case 0:
      return pick([null, true, false]);
    case 1:
    case 2:
      return pick(numbers);
    case 3:
      return Array.from({ length: pick([0, 1, 3, 300, 3_000]) }, () => pick(texts));
    case 4:
      return { [nastyText(random)]: nastyText(random), ["__proto__"]: { polluted: true } };
    case 5:
      return nested(pick([2, 50, 900]));
    case 6:
      return Object.fromEntries(Array.from({ length: pick([0, 2, 200]) }, (_, index) => [`key${index}`, index]));
    default:
      return nastyText(random);
  }
}
