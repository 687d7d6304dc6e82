import { describe, expect, test } from "bun:test";
import { slugCandidates, slugify } from "../../src/services/slug.ts";

const label = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

describe("a slug", () => {
  test.each([
    ["My Project", "my-project"],
    ["Crème Brûlée", "creme-brulee"],
    ["  --Ünïcode__name--  ", "unicode-name"],
    ["🚀", "sandbox"],
    ["日本語", "sandbox"],
    ["ﬁne №1", "fine-no1"],
    ["Straße", "strasse"],
    ["Code Review", "p-code-review"],
    ["Code", "p-code"],
    ["Codebase", "codebase"],
    ["a".repeat(100), "a".repeat(40)],
    [`${"a".repeat(39)} b`, "a".repeat(39)],
  ])("of %p is %p", (name, slug) => {
    expect(slugify(name)).toBe(slug);
  });

  test("is a DNS label for any name", () => {
    for (let code = 0; code < 0x3000; code += 7) {
      expect(slugify(`${String.fromCodePoint(code)}x${String.fromCodePoint(code)}`)).toMatch(label);
    }
  });

  test("keeps clear of the host names of an addon's services", () => {
    expect(slugify("db foo", ["acp", "db"])).toBe("p-db-foo");
    expect(slugify("code foo", ["acp", "db"])).toBe("code-foo");
  });

  test("has other candidates, all of them labels, when it is taken", () => {
    const candidates = Array.from(slugCandidates("a".repeat(40)).take(30));
    expect(candidates.slice(0, 3)).toEqual(["a".repeat(40), `${"a".repeat(38)}-2`, `${"a".repeat(38)}-3`]);
    expect(new Set(candidates).size).toBe(candidates.length);
    for (const candidate of candidates) expect(candidate).toMatch(label);
  });
});
