import { describe, expect, test } from "bun:test";
import { judge } from "../../src/sessions/permission-policy.ts";
import { createToolCallMemory } from "../../src/sessions/tool-calls.ts";
import { permissionPolicy, type JsonObject, type PermissionPolicy } from "../../src/wire/index.ts";
import { until } from "../support/gateway.ts";
import { caller, world } from "./support.ts";

type Rules = NonNullable<PermissionPolicy["rules"]>;

const ALLOW = { decision: "allow" as const };

/** The verdict on the last of the updates, which tell of one call in the folder /project. */
function verdict(rules: Rules, ...updates: JsonObject[]) {
  const memory = createToolCallMemory();
  const facts = updates.map((update) => memory.note({ toolCallId: "c", ...update })).at(-1);
  if (!facts) throw new Error("there is no call");
  return judge({ mode: "rules", rules }, facts, "/project");
}
const at = (...paths: string[]): JsonObject => ({ kind: "edit", locations: paths.map((path) => ({ path })) });
const many = (last: string) => [...Array.from({ length: 300 }, (_, at) => `/project/file-${at}`), last];

describe("what a rule refuses", () => {
  const refuses = (rule: Omit<Rules[number], "decision">, ...updates: JsonObject[]) =>
    expect(verdict([{ ...rule, decision: "reject" }, ALLOW], ...updates)).toBe("reject");

  test("stays refused however many paths the call has", () => {
    refuses({ path: "secrets/**" }, at(...many("/project/secrets/key")));
  });

  test("stays refused behind a title of any length", () => {
    refuses({ title: "*rm -rf*" }, { title: `echo ${"a".repeat(5000)}; rm -rf /` });
    refuses({ title: "echo *" }, { title: `echo ${"a".repeat(5000)}` }, { kind: "execute" });
    expect(verdict([{ title: "curl *", decision: "reject" }, ALLOW], { title: `echo ${"a".repeat(5000)}` })).toBe(
      "allow",
    );
  });

  test("stays refused when the call's id is too long to remember what was said of it", () => {
    const toolCallId = "c".repeat(2000);
    refuses({ path: "secrets/**" }, { ...at("/project/secrets/key"), toolCallId }, { toolCallId });
  });

  test("is also a call that says nothing of its kind, which the protocol calls other", () => {
    refuses({ kind: "other" }, { title: "Some tool" });
  });

  for (const path of ["./secrets/**", "secrets/", "./secrets/", "/project/secrets/"]) {
    test(`is what is in a folder, written ${path}`, () => refuses({ path }, at("/project/secrets/deep/key")));
  }

  test("is a folder with all that is in it", () => {
    refuses({ path: "secrets/**" }, at("/project/secrets"));
    refuses({ path: "/project/secrets/**" }, at("/project/secrets/"));
    expect(verdict([{ path: "!src", decision: "reject" }, ALLOW], at("/project/src"))).toBe("allow");
  });

  test("is a path that is written as it is called, with brackets", () => {
    refuses({ path: "app/[id]/page.tsx" }, at("/project/app/[id]/page.tsx"));
  });
});

describe("what a rule allows", () => {
  for (const path of ["**", "**/*.md", "*", "!src/**", "./**"]) {
    test(`is nothing outside of the session's folder where the glob is ${path}`, () => {
      const rules = [{ path, decision: "allow" as const }];
      expect(verdict(rules, at("/etc/notes.md"))).toBe("ask");
      expect(verdict(rules, at("/"))).toBe("ask");
      expect(verdict(rules, at("/project/../notes.md"))).toBe("ask");
      expect(verdict(rules, at("/project/notes.md"))).toBe("allow");
    });
  }

  test("is outside of the folder where the glob says so", () => {
    expect(verdict([{ path: "../other/**", decision: "allow" }], at("/other/a"))).toBe("allow");
    expect(verdict([{ path: "/**", decision: "allow" }], at("/other/a"))).toBe("allow");
  });

  test("is a name that begins with two dots", () => {
    expect(verdict([{ path: "**", decision: "allow" }], at("/project/..notes"))).toBe("allow");
  });

  test("is no title whose end is not known, and no kind that was not told", () => {
    const title = `ls ${"a".repeat(5000)}; rm -rf /`;
    expect(verdict([{ title: "ls *a", decision: "allow" }], { title: title.slice(0, 4096 + 3) })).toBe("ask");
    expect(verdict([{ title: "ls *", decision: "allow" }], { title })).toBe("allow");
    expect(verdict([{ kind: "other", decision: "allow" }], { title: "Some tool" })).toBe("ask");
  });
});

test("rules that nothing would look at, and paths that would match nothing, are refused", () => {
  const rules = [{ path: ".env", decision: "reject" as const }];
  const told = (policy: unknown) =>
    permissionPolicy.safeParse(policy).error?.issues.map(({ path, message }) => [path, message]);
  expect(told({ mode: "allow-reads", rules })).toEqual([[["rules"], expect.stringContaining("set mode to rules")]]);
  expect(told({ mode: "allow-reads", rules: [] })).toBeUndefined();
  expect(told({ mode: "rules", rules })).toBeUndefined();
  const home = told({ mode: "rules", rules: [{ path: "~/.ssh/**", decision: "reject" }] });
  expect(home).toEqual([[["rules", 0, "path"], expect.stringContaining("~")]]);
});

test("an agent is not allowed what is outside of the folder by a rule for all that is in it", async () => {
  await using w = await world();
  const rules = [{ path: "**", decision: "allow" as const }];
  const { id } = await w.create({ permissionPolicy: { mode: "rules", rules } });
  expect((await w.run(id, "ask edit notes.md")).text).toBe("[selected once]");
  await w.send(id, "ask edit ../../etc/passwd");
  await until(() => w.manager.permissions(id, "pending").length > 0);
  await w.manager.cancel(id);
  const outcomes = w.manager.permissions(id).map(({ resolvedBy }) => resolvedBy);
  expect(outcomes).toEqual(["cancel", "policy"]);
});

test("a policy that allows a call does not allow all later ones with it", async () => {
  await using w = await world();
  const rules = [
    { path: "secrets/**", decision: "reject" as const },
    { kind: "edit", decision: "allow" as const },
  ];
  const { id } = await w.create({ permissionPolicy: { mode: "rules", rules } });
  const options = [{ optionId: "ever", name: "Always", kind: "allow_always" }];
  const toolCall = { toolCallId: "c1", kind: "edit", locations: [{ path: "notes.md" }] };
  const ask = `call session/request_permission ${JSON.stringify({ toolCall, options })}`;
  const { promptId } = await w.send(id, ask);
  await until(() => w.manager.permissions(id, "pending").length > 0);
  await w.manager.cancel(id);
  await w.ended(id, promptId);
  await w.manager.patch(id, { permissionPolicy: { mode: "allow-all" } }, caller);
  expect((await w.run(id, ask)).text).toContain('"optionId":"ever"');
});
