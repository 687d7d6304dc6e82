import { expect, test } from "bun:test";
import { defaultContext } from "../../src/services/resolver-context.ts";
import { idConflict } from "../../src/services/id-conflict.ts";

const catalog = defaultContext();

test.each([
  ["flavor", "base", true],
  ["flavor", "js-gui", true],
  ["flavor", "js-code-server-more", true],
  ["flavor", "js-deno", false],
  ["flavor", "elixir", false],
  ["addon", "gateway", true],
  ["addon", "opencode", true],
  ["addon", "code", true],
  ["addon", "gui-gpu", true],
  ["addon", "browser", false],
] as const)("a new %s %s is refused: %p", (kind, id, refused) => {
  expect(idConflict(kind, id, catalog) !== undefined).toBe(refused);
});

test("an addon that would make an existing flavor's image ambiguous is refused", () => {
  const [js] = catalog.flavors;
  if (js === undefined) throw new Error("no flavor is seeded");
  const flavors = [...catalog.flavors, { ...js, id: "js-deno" }];
  expect(idConflict("addon", "deno", { flavors, addons: catalog.addons })).toContain("js-deno");
});
