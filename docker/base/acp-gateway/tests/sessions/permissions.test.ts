import { Database } from "bun:sqlite";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { textOf } from "../../src/sessions/json.ts";
import type { PendingChange } from "../../src/types.ts";
import type { PermissionPolicy } from "../../src/wire/index.ts";
import { until } from "../support/gateway.ts";
import { caller, refusal, world, type World } from "./support.ts";

const other = { ...caller, name: "second" };

/** Sends a prompt that asks for permission and waits until the request is there. */
async function asked(w: World, id: string, script = "ask edit src/a.ts") {
  const { promptId } = await w.send(id, script);
  await until(() => w.manager.permissions(id, "pending").length > 0);
  const [permission] = w.manager.permissions(id, "pending");
  if (!permission) throw new Error("there is no request");
  return { promptId, permission };
}

test("a request waits for a person; the first answer wins and is told to all", async () => {
  await using w = await world();
  const { id } = await w.create();
  const changes: PendingChange[] = [];
  const forget = w.manager.onPending((change) => changes.push(change));
  const { promptId, permission } = await asked(w, id);
  expect(permission).toMatchObject({
    sessionId: id,
    promptId,
    status: "pending",
    outcome: null,
    resolvedBy: null,
    expiresAt: null,
    toolCall: { kind: "edit", title: "edit src/a.ts" },
  });
  expect(w.manager.get(id)).toMatchObject({ status: "waiting", pendingPermissions: 1 });
  await until(() => changes.length === 1);
  const answers = await Promise.allSettled([
    w.manager.answerPermission(id, permission.id, { optionId: "always" }, caller),
    w.manager.answerPermission(id, permission.id, { optionId: "no" }, other),
  ]);
  expect(answers[0]).toMatchObject({
    status: "fulfilled",
    value: { status: "answered", resolvedBy: "tester", outcome: { outcome: "selected", optionId: "always" } },
  });
  const reason = { code: "already_resolved", message: "the permission was ended just now" };
  expect(answers[1]).toMatchObject({ status: "rejected", reason });
  const late = w.manager.answerPermission(id, permission.id, { optionId: "no" }, other);
  expect((await refusal(late)).message).toContain("answered by tester");
  expect((await w.ended(id, promptId)).text).toBe("[selected always]");
  expect((await w.event(id, "permission_requested")).data).toMatchObject({ id: permission.id });
  expect((await w.event(id, "permission_resolved")).data).toEqual({
    id: permission.id,
    status: "answered",
    resolvedBy: "tester",
    outcome: { outcome: "selected", optionId: "always" },
  });
  expect(changes.map(({ value }) => value.status)).toEqual(["pending", "answered"]);
  forget();
  expect(w.manager.permissions(id)).toMatchObject([{ id: permission.id, status: "answered" }]);
  expect(w.manager.permissions(id, "pending")).toEqual([]);
});

test("an answer in one word picks the first option of its kind; what was not offered is refused", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId, permission } = await asked(w, id);
  const wrong = await refusal(w.manager.answerPermission(id, permission.id, { optionId: "maybe" }, caller));
  expect(wrong).toMatchObject({ code: "invalid_request", message: expect.stringContaining("once, always, no") });
  const absent = w.manager.answerPermission(id, permission.id, { decision: "reject_always" }, caller);
  expect((await refusal(absent)).code).toBe("invalid_request");
  const unknown = w.manager.answerPermission(id, "per_0", { decision: "cancel" }, caller);
  expect((await refusal(unknown)).code).toBe("permission_not_found");
  await w.manager.answerPermission(id, permission.id, { decision: "reject_once" }, caller);
  expect((await w.ended(id, promptId)).text).toBe("[selected no]");
});

test("a cancel answers what waits with cancelled at once, and what is asked after it", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId, permission } = await asked(w, id, "ask edit a\nask edit b");
  await w.manager.cancel(id);
  expect(w.manager.permissions(id, "pending")).toEqual([]);
  expect(w.manager.permissions(id)).toMatchObject([
    { id: permission.id, status: "cancelled", resolvedBy: "cancel", outcome: { outcome: "cancelled" } },
  ]);
  expect(await w.ended(id, promptId)).toMatchObject({ status: "cancelled", text: "[cancelled]" });
});

test("a request that nobody answers in time is rejected", async () => {
  await using w = await world();
  const { id } = await w.create({ permissionPolicy: { mode: "ask", timeoutSeconds: 1 } });
  const { promptId, permission } = await asked(w, id);
  expect(Date.parse(permission.expiresAt ?? "")).toBeGreaterThan(Date.parse(permission.createdAt));
  expect((await w.ended(id, promptId)).text).toBe("[selected no]");
  expect(w.manager.permissions(id)).toMatchObject([{ status: "expired", resolvedBy: "timeout" }]);
  const outcome = { outcome: "selected", optionId: "no" };
  const { data } = await w.event(id, "permission_resolved");
  expect(data).toEqual({ id: permission.id, status: "expired", resolvedBy: "timeout", outcome });
  const late = w.manager.answerPermission(id, permission.id, { decision: "allow_once" }, caller);
  expect((await refusal(late)).message).toBe("the permission was expired by timeout");
});

test("requests beyond the limit are refused, with an event each", async () => {
  await using w = await world({ limits: { pendingPermissions: 1 } });
  const { id } = await w.create();
  const request = (id: number) =>
    `raw {"jsonrpc":"2.0","id":${id},"method":"session/request_permission","params":{"sessionId":"$SESSION","toolCall":{"toolCallId":"c${id}"},"options":[{"optionId":"n","name":"No","kind":"reject_once"}]}}`;
  await w.send(id, `${request(9001)}\n${request(9002)}\nhang`);
  const refused = await w.event(id, "permission_resolved");
  expect(refused.data).toMatchObject({ resolvedBy: "limit", outcome: { outcome: "selected", optionId: "n" } });
  expect(w.manager.permissions(id, "pending")).toHaveLength(1);
  await w.manager.cancel(id);
});

test("a request without options is the agent's mistake and is answered as one", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { text } = await w.run(id, 'call session/request_permission {"toolCall":{},"options":[]}');
  expect(text).toContain("toolCall and options");
  expect(w.manager.permissions(id)).toEqual([]);
});

const POLICIES: [string, PermissionPolicy, string, string][] = [
  ["allow-all allows", { mode: "allow-all" }, "ask execute x", "[selected once]"],
  ["allow-reads allows to read", { mode: "allow-reads" }, "ask read x", "[selected once]"],
  ["deny rejects", { mode: "deny" }, "ask read x", "[selected no]"],
  [
    "a rule allows by kind and path",
    { mode: "rules", rules: [{ kind: "edit", path: "src/**", decision: "allow" }] },
    "ask edit src/deep/a.ts",
    "[selected once]",
  ],
  [
    "a rule's path may be absolute",
    { mode: "rules", rules: [{ path: "/**/src/*.ts", decision: "allow" }] },
    "ask edit src/a.ts",
    "[selected once]",
  ],
  [
    "a rule rejects by title, with * for any text",
    { mode: "rules", rules: [{ title: "execute */rm*", decision: "reject" }] },
    "ask execute /bin/rm",
    "[selected no]",
  ],
  [
    "the first rule that applies decides",
    {
      mode: "rules",
      rules: [
        { path: "src/secret/**", decision: "reject" },
        { path: "src/**", decision: "allow" },
      ],
    },
    "ask edit src/secret/key",
    "[selected no]",
  ],
];

for (const [name, permissionPolicy, script, expected] of POLICIES) {
  test(`${name}, without asking`, async () => {
    await using w = await world();
    const { id } = await w.create({ permissionPolicy });
    expect((await w.run(id, script)).text).toBe(expected);
    expect(await w.types(id)).toContain("permission_requested");
    expect((await w.event(id, "permission_resolved")).data).toMatchObject({ status: "answered", resolvedBy: "policy" });
  });
}

const ASKED: [string, PermissionPolicy, string][] = [
  ["allow-reads asks for an edit", { mode: "allow-reads" }, "ask edit x"],
  ["rules ask for what no rule decides", { mode: "rules", rules: [{ kind: "read", decision: "allow" }] }, "ask edit x"],
  [
    "a path that leaves the allowed folder by .. is not allowed",
    { mode: "rules", rules: [{ path: "src/**", decision: "allow" }] },
    "ask edit src/../../etc/passwd",
  ],
  [
    "a rule that says ask comes before one that allows",
    {
      mode: "rules",
      rules: [
        { kind: "edit", decision: "ask" },
        { kind: "edit", decision: "allow" },
      ],
    },
    "ask edit x",
  ],
];

for (const [name, permissionPolicy, script] of ASKED) {
  test(name, async () => {
    await using w = await world();
    const { id } = await w.create({ permissionPolicy });
    await asked(w, id, script);
    await w.manager.cancel(id);
  });
}

test("a link does not carry a call out of what a rule allows, nor around what one rejects", async () => {
  await using w = await world();
  await Bun.write(join(w.workspace, "private/key"), "");
  await Bun.write(join(w.workspace, "src/.keep"), "");
  await symlink(join(w.workspace, "private"), join(w.workspace, "src/link"));
  const { id } = await w.create({
    permissionPolicy: { mode: "rules", rules: [{ path: "src/**", decision: "allow" }] },
  });
  await asked(w, id, "ask edit src/link/key");
  await w.manager.cancel(id);
  const rules = [
    { path: "private/**", decision: "reject" as const },
    { path: "**", decision: "allow" as const },
  ];
  await w.manager.patch(id, { permissionPolicy: { mode: "rules", rules } }, caller);
  expect((await w.run(id, "ask edit src/link/key")).text).toBe("[selected no]");
});

test("a policy sees what the call's updates said, though the request leaves it out", async () => {
  await using w = await world();
  const { id } = await w.create({ permissionPolicy: { mode: "allow-reads" } });
  const options = '[{"optionId":"y","name":"Yes","kind":"allow_once"}]';
  const { text } = await w.run(
    id,
    `update {"sessionUpdate":"tool_call","toolCallId":"c1","title":"Read","kind":"read"}
call session/request_permission {"toolCall":{"toolCallId":"c1"},"options":${options}}`,
  );
  expect(text).toContain('"optionId":"y"');
});

test("an agent's end cancels what waits, and a restart of the gateway too", async () => {
  await using w = await world();
  const { id } = await w.create();
  const first = await asked(w, id);
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await w.ended(id, first.promptId);
  expect(w.manager.permissions(id)).toMatchObject([
    { id: first.permission.id, status: "cancelled", resolvedBy: "exit" },
  ]);
  const second = await asked(w, id);
  await w.restart();
  expect(w.manager.permissions(id, "pending")).toEqual([]);
  expect(w.manager.permissions(id, "cancelled").map((permission) => permission.id)).toEqual([
    second.permission.id,
    first.permission.id,
  ]);
});

test("an agent acts on an answer only once that is written down", async () => {
  await using w = await world();
  const { id } = await w.create({ mode: "ask" });
  const { promptId } = await w.send(id, "write out.txt hi");
  const { data } = await w.event(id, "permission_requested");
  await w.log.settled();
  const lock = new Database(join(w.workspace, ".agentpod/gateway/log/gateway.sqlite"));
  lock.run("BEGIN IMMEDIATE");
  const answer = w.manager.answerPermission(id, textOf(data?.["id"]), { decision: "allow_once" }, caller);
  expect((await refusal(answer)).code).toBe("storage_full");
  await Bun.sleep(200);
  const written = () => Bun.file(join(w.workspace, "out.txt"));
  expect(await written().exists()).toBe(false);
  lock.run("COMMIT");
  lock.close();
  await w.ended(id, promptId);
  expect(await written().text()).toBe("hi");
});
