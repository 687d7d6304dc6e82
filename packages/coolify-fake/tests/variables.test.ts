import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import { request } from "./support/wait.ts";
import { world } from "./support/world.ts";

const { fake, call, create, start, ended, snapshot } = world();
afterAll(() => fake.close());
let uuid = "";
beforeEach(async () => {
  uuid = await create();
});

const bulk = (...data: unknown[]) => call("PATCH", `/applications/${uuid}/envs/bulk`, { data });
const ALL_FLAGS = { is_literal: true, is_multiline: false, is_shown_once: false, is_preview: false };

test("each has a twin for previews that no change or deletion touches", async () => {
  const { json } = await call("POST", `/applications/${uuid}/envs`, { key: "A", value: "1" });
  await call("PATCH", `/applications/${uuid}/envs`, { key: "A", value: "2" });
  const list = async () =>
    (await call("GET", `/applications/${uuid}/envs`)).json.map((one) => [one["is_preview"], one["value"]]);
  expectWire(await list()).toEqual([
    [false, "2"],
    [true, "1"],
  ]);
  await call("DELETE", `/applications/${uuid}/envs/${json["uuid"]}`);
  expectWire(await list()).toEqual([[true, "1"]]);
  expect(snapshot(uuid).envs).toEqual({});
});

test("bulk changes what is there, adds what is not and removes nothing", async () => {
  await bulk({ key: "A", value: "1" }, { key: "B", value: "1" });
  expect((await bulk({ key: "B", value: "2" }, { key: "C", value: "3" })).status).toBe(201);
  expect(snapshot(uuid).envs).toEqual({ A: "1", B: "2", C: "3" });
});

test("bulk stores what stands before a bad item, and says not which it was", async () => {
  const { status, json } = await bulk({ key: "A", value: "1" }, { key: "b-c", value: "2" }, { key: "D", value: "3" });
  expectWire({ status, errors: json["errors"] }).toEqual({
    status: 422,
    errors: { key: ["The key field format is invalid."] },
  });
  expect(snapshot(uuid).envs).toEqual({ A: "1" });
});

test("a flag that is on and left out is a 500; with every flag given the change is stored", async () => {
  for (const flag of ["is_multiline", "is_shown_once"]) {
    await bulk({ key: "A", value: "1", ...ALL_FLAGS, [flag]: true });
    expect((await bulk({ key: "A", value: "2" })).status).toBe(500);
    expect((await call("PATCH", `/applications/${uuid}/envs`, { key: "A", value: "2" })).status).toBe(500);
    expect(snapshot(uuid).envs["A"]).toBe("1");
    expect((await bulk({ key: "A", value: "1", ...ALL_FLAGS })).status).toBe(201);
  }
});

test("what is left out of a change is reset: the value to none, is_literal to off", async () => {
  await bulk({ key: "A", value: "1", is_literal: true });
  const { json } = await bulk({ key: "A" });
  expectWire(json[0]).toMatchObject({ value: null, is_literal: false, is_runtime: true });
});

test("values are trimmed, an empty one is none, and only texts are taken", async () => {
  await bulk({ key: "A", value: "  x  " }, { key: "B", value: "" });
  expect(snapshot(uuid).envs).toEqual({ A: "x", B: "" });
  for (const value of [1, true, {}]) expect((await bulk({ key: "A", value })).status).toBe(422);
});

test("values are hidden from tokens without read:sensitive", async () => {
  await bulk({ key: "A", value: "secret" });
  const { json } = await request(fake, "GET", `/applications/${uuid}/envs`, undefined, fake.tokens.readWriteDeploy);
  expect(json).toHaveLength(2);
  expect(JSON.stringify(json)).not.toContain("secret");
});

describe("a deployment", () => {
  test.each([
    ["fails for a quote in a literal value", { value: "it's", is_literal: true }, "failed"],
    ["fails for a backslash at the end of a literal value", { value: "a\\", is_literal: true }, "failed"],
    ["takes blanks, dollars and lines of a literal value", { value: 'a $b\n"c" #d', is_literal: true }, "finished"],
  ])("%s", async (_, variable, wanted) => {
    await bulk({ key: "A", ...ALL_FLAGS, ...variable });
    expectWire((await ended(await start(uuid)))["status"]).toBe(wanted);
    if (wanted === "finished") expect(snapshot(uuid).running?.env["A"]).toBe(variable.value);
  });

  test("gets PORT of the first port unless it is set", async () => {
    await bulk({ key: "PORT", value: "9", ...ALL_FLAGS });
    await ended(await start(uuid));
    expect(snapshot(uuid).running?.env).toMatchObject({ PORT: "9", HOST: "0.0.0.0" });
  });
});
