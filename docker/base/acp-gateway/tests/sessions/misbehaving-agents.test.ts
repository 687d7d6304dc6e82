import { expect, test } from "bun:test";
import { judge } from "../../src/sessions/permission-policy.ts";
import { createToolCallMemory } from "../../src/sessions/tool-calls.ts";
import type { PermissionPolicy } from "../../src/wire/index.ts";
import { agent, caller, refusal, world } from "./support.ts";

const MiB = 1024 * 1024;

test("what an agent says of its settings beyond all measure is in the log, and not in every answer and row", async () => {
  await using w = await world();
  const { id } = await w.create();
  const large = { sessionUpdate: "config_option_update", configOptions: [{ id: "x", name: "y".repeat(2 * MiB) }] };
  await w.run(id, `update ${JSON.stringify(large)}`);
  expect((await w.event(id, "config_option_update")).update).toEqual(large);
  expect(w.manager.get(id).configOptions.map((option) => option["id"])).toEqual(["model"]);
});

test("a fork that is its parent by its id is refused, and the parent goes on", async () => {
  await using w = await world({ agents: [agent("scripted", ["--same-fork"])] });
  const { id } = await w.create();
  expect((await refusal(w.manager.fork(id, caller))).code).toBe("agent_protocol");
  expect(await w.run(id, "text mine")).toMatchObject({ text: "mine" });
});

const policy = (...rules: NonNullable<PermissionPolicy["rules"]>): PermissionPolicy => ({ mode: "rules", rules });
const call = (...paths: string[]) =>
  createToolCallMemory().note({ toolCallId: "c", kind: "edit", locations: paths.map((path) => ({ path })) });

test("a rule that refuses a path does so whatever other paths the call has", () => {
  const rules = policy({ path: "secrets/**", decision: "reject" }, { path: "**", decision: "allow" });
  expect(judge(rules, call("/w/src/a", "/w/secrets/b"), "/w")).toBe("reject");
  expect(judge(rules, call("/w/src/a"), "/w")).toBe("allow");
  const careful = policy({ path: "secrets/**", decision: "ask" }, { path: "**", decision: "allow" });
  expect(judge(careful, call("/w/secrets/b", "/w/src/a"), "/w")).toBe("ask");
});

test("a rule allows no call that has more paths than are looked at", () => {
  const many = Array.from({ length: 300 }, (_, at) => `/w/src/${at}`);
  const rules = policy({ path: "src/**", decision: "allow" });
  expect(judge(rules, call(...many.slice(0, 200)), "/w")).toBe("allow");
  expect(judge(rules, call(...many, "/etc/passwd"), "/w")).toBe("ask");
});
