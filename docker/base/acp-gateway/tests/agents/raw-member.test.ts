import { expect, test } from "bun:test";
import { rawMember } from "../../src/agents/raw-member.ts";

test("the cut parses to the same value for any object", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const texts = ["", "a", '"', "\\", '\\"', "}{][", ",:", "日本", "\u2028", "\n\t"];
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 4 : 6);
    if (kind === 0) return texts[random(texts.length)];
    if (kind === 1) return random(1000) / 8 - 50;
    if (kind === 2) return [true, false, null][random(3)];
    if (kind === 3) return texts.map((text) => text + random(9)).join("");
    if (kind === 4) return Array.from({ length: random(4) }, () => value(depth + 1));
    return Object.fromEntries(texts.slice(0, random(10)).map((name) => [name + random(3), value(depth + 1)]));
  };
  for (let round = 0; round < 500; round++) {
    const object = { ...(value(5) as object), before: value(0), wanted: value(0), after: value(0) };
    const json = JSON.stringify(object, null, random(3));
    expect(JSON.parse(rawMember(json, "wanted") ?? "")).toEqual(object.wanted);
    expect(rawMember(json, "absent")).toBeNull();
  }
});
