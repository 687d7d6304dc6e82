import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, caller, refusal, world } from "./support.ts";

const SECRETS = [
  "sesame-of-the-environment",
  "sesame-of-the-server",
  "sesame-of-the-header",
  "sesame-of-the-login",
  "sesame-of-the-argument",
  "sesame-joined",
];

test("a session works in the folder it is given: relative to the workspace, absolute, or the workspace itself", async () => {
  await using w = await world();
  await mkdir(join(w.workspace, "sub/deep"), { recursive: true });
  const cwd = async (path?: string) => (await w.create(path === undefined ? {} : { cwd: path })).cwd;
  expect(await cwd()).toBe(w.workspace);
  expect(await cwd("sub")).toBe(join(w.workspace, "sub"));
  expect(await cwd(join(w.workspace, "sub/../sub/deep"))).toBe(join(w.workspace, "sub/deep"));
});

test("a folder outside the roots is refused, also through a link, and is not told apart from one that is absent", async () => {
  await using w = await world();
  await symlink("/etc", join(w.workspace, "out"));
  await Bun.write(join(w.workspace, "file"), "");
  for (const cwd of ["/etc", "/", "..", "out", "out/ssl", "/nowhere/at/all", join(w.workspace, ".agentpod/gateway")]) {
    expect([cwd, (await refusal(w.create({ cwd }))).code]).toEqual([cwd, "path_not_allowed"]);
  }
  expect((await refusal(w.create({ additionalDirectories: ["/etc"] }))).code).toBe("path_not_allowed");
  expect((await refusal(w.create({ cwd: "absent" }))).message).toContain("create it first");
  for (const cwd of ["file", "a\0b"]) expect((await refusal(w.create({ cwd }))).code).toBe("invalid_request");
  expect(w.manager.list({ limit: 10 }).sessions).toEqual([]);
  expect(w.agents.running()).toEqual([]);
});

test("an agent that is unknown or not installed is refused", async () => {
  const ghost = agent("ghost", [], { command: ["no-such-program-here"] });
  await using w = await world({ agents: [ghost] });
  expect((await refusal(w.create({ agent: "nobody" }))).code).toBe("agent_not_found");
  expect((await refusal(w.create({ agent: "ghost" }))).code).toBe("agent_not_installed");
});

test("only variables the agent's entry accepts are set", async () => {
  await using w = await world();
  const refused = await refusal(w.create({ env: { LD_PRELOAD: "x", AGENTPOD_GATEWAY_TOKEN: "x", TEST_OK: "y" } }));
  expect(refused.details.errors?.map(({ path }) => path)).toEqual(["/env/LD_PRELOAD", "/env/AGENTPOD_GATEWAY_TOKEN"]);
  expect((await refusal(w.create({ env: { TEST_A: "a\0b" } }))).code).toBe("invalid_request");
  const { id, env } = await w.create({ env: { TEST_COLOUR: "green" } });
  expect(env).toEqual(["TEST_COLOUR"]);
  expect((await w.run(id, "env TEST_COLOUR")).text).toBe("green");
});

test("mode, model and options are set before the session is given", async () => {
  await using w = await world();
  const session = await w.create({ mode: "ask", model: "large" });
  expect(session).toMatchObject({
    modes: { currentModeId: "ask" },
    configOptions: [{ id: "model", currentValue: "large" }],
  });
  const other = await w.create({ config: { model: "large" } });
  expect(other).toMatchObject({ modes: { currentModeId: "auto" }, configOptions: [{ currentValue: "large" }] });
});

test("the registry's default mode holds where the caller gives none", async () => {
  const quirks = { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true, defaultMode: "ask" };
  await using w = await world({ agents: [agent("scripted", [], { quirks })] });
  expect((await w.create()).modes?.["currentModeId"]).toBe("ask");
  expect((await w.create({ mode: "auto" })).modes?.["currentModeId"]).toBe("auto");
});

test("a session that cannot be made as it was asked for leaves nothing behind", async () => {
  await using w = await world();
  for (const wish of [{ mode: "no-such" }, { config: { nothing: "x" } }, { config: { model: true } }]) {
    expect((await refusal(w.create(wish))).code).toBe("invalid_request");
  }
  await until(() => w.agents.running().length === 0);
  expect(w.manager.list({ limit: 10 }).sessions).toEqual([]);
  expect(await w.events()).toEqual([]);
  expect(w.manager.activity()).toMatchObject({ idle: true, sessions: 0, agentsRunning: 0 });
});

test("an agent that wants credentials says which it takes; with them the session is made", async () => {
  await using w = await world({ agents: [agent("scripted", ["--auth"])] });
  const refused = await refusal(w.create());
  expect(refused).toMatchObject({
    code: "auth_required",
    details: { rpc: { code: -32000, data: { authMethods: [{ id: "key" }, { id: "login", type: "terminal" }] } } },
  });
  expect((await refusal(w.create({ auth: { methodId: "wrong" } }))).details.rpc?.code).toBe(-32602);
  expect((await refusal(w.create({ auth: { methodId: "login" } }))).details.errors).toMatchObject([
    { path: "/auth/methodId", fix: expect.stringContaining("terminal") },
  ]);
  const { id } = await w.create({ auth: { methodId: "key" } });
  await w.run(id, "text x");
  // The next process is given them again.
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await until(() => w.manager.get(id).status === "dormant");
  expect((await w.run(id, "text y")).text).toBe("y");
});

test("the registry's own way to authenticate is used when its variable is there", async () => {
  const authenticate = { needs: "TEST_KEY", methodId: "key", withhold: true };
  const quirks = { advertiseFs: false, cancelsOnSecondPrompt: false, loads: true, resumes: true, authenticate };
  await using w = await world({ agents: [agent("scripted", ["--auth"], { quirks })] });
  expect((await refusal(w.create())).code).toBe("auth_required");
  const { id } = await w.create({ env: { TEST_KEY: "a-secret-key" } });
  expect((await w.run(id, "env TEST_KEY")).text).toBe("(unset)");
});

test("MCP servers are passed on; those of a kind the agent does not know are refused", async () => {
  await using w = await world();
  const stdio = { name: "files", type: "stdio" as const, command: "/bin/true", args: [], env: [] };
  const { id, mcpServers } = await w.create({ mcpServers: [stdio] });
  expect(mcpServers).toEqual([{ name: "files", type: "stdio" }]);
  expect((await w.run(id, "mcp")).text).toBe("files");
  const http = { name: "web", type: "http" as const, url: "http://127.0.0.1:1/", headers: [] };
  expect((await refusal(w.create({ mcpServers: [stdio, http] }))).details.errors).toMatchObject([
    { path: "/mcpServers/1" },
  ]);
});

test("secrets given to a session are in no event, no error and no view of it", async () => {
  await using w = await world();
  const args = ["--verbose", "--api-key", SECRETS[4] ?? "", `--token=${SECRETS[5]}`];
  const { id } = await w.create({
    env: { TEST_SECRET: SECRETS[0] ?? "" },
    mcpServers: [{ name: "a", command: "/bin/true", args, env: [{ name: "KEY", value: SECRETS[1] ?? "" }] }],
  });
  await w.manager.call(id, "authenticate", {
    methodId: "key",
    _meta: { header: SECRETS[2] ?? "", key: SECRETS[3] ?? "" },
  });
  const failure = await w.run(id, `error -32603 it is ${SECRETS.join(" and ")}`);
  const crash = await w.run(id, `crash it was ${SECRETS.join(" and ")}`);
  await w.run(id, `call x/unknown ${JSON.stringify({ leak: SECRETS })}`);
  const refused = await refusal(w.manager.call(id, "authenticate", { methodId: SECRETS[3] ?? "" }));
  const told = JSON.stringify([
    failure.error,
    crash.error,
    w.manager.get(id),
    w.manager.list({ limit: 9 }),
    refused.message,
    refused.details,
    (await w.events(id)).filter(
      ({ update, type }) => update === undefined && type !== "prompt_started" && type !== "prompt_queued",
    ),
    w.reported,
  ]);
  for (const secret of SECRETS) expect(told).not.toContain(secret);
});

test("sessions are limited; one that is closed makes room", async () => {
  await using w = await world({ limits: { sessions: 2 } });
  const [first] = [await w.create(), await w.create()];
  expect((await refusal(w.create())).code).toBe("too_many_sessions");
  await w.manager.close(first.id);
  await w.create();
  expect((await refusal(w.manager.open(first.id, "load"))).code).toBe("too_many_sessions");
});

test("beyond the limit of processes the session idle for the longest gives its own up, but none that works", async () => {
  await using w = await world({ limits: { processes: 2 } });
  const [first, second] = [await w.create(), await w.create()];
  const third = await w.create();
  expect(w.manager.get(first.id).status).toBe("dormant");
  expect((await w.events(first.id)).at(-1)).toMatchObject({ type: "session_updated", data: { status: "dormant" } });
  await w.send(second.id, "hang");
  const detach = w.manager.attach(third.id);
  expect((await refusal(w.create())).code).toBe("too_many_processes");
  // A prompt waits for a process instead.
  const waiting = await w.send(first.id, "text my turn");
  await w.manager.cancel(second.id);
  expect((await w.ended(first.id, waiting.promptId)).text).toBe("my turn");
  detach();
});

test("a fork goes on by itself, also after the session it came from was closed", async () => {
  await using w = await world();
  const parent = await w.create({ title: "Mine", permissionPolicy: { mode: "deny" } });
  await w.run(parent.id, "text one");
  const fork = await w.manager.fork(parent.id, caller);
  expect(fork).toMatchObject({ title: "Mine", permissionPolicy: { mode: "deny" }, status: "idle" });
  expect(fork.agentSessionId).not.toBe(parent.agentSessionId);
  const [created] = await w.events(fork.id);
  expect(created?.data?.["forkedFrom"]).toMatchObject({ id: parent.id });
  const pid = await w.pid(parent.id);
  expect(await w.pid(fork.id)).toBe(pid);
  await w.manager.close(parent.id);
  expect(await w.pid(fork.id)).toBe(pid);
  await w.manager.close(fork.id);
  await until(() => w.agents.running().length === 0);
  await w.manager.open(fork.id, "load");
  expect((await w.run(fork.id, "text back")).text).toBe("back");
});

test("sessions of an agent with one process share it, and the last one ends it", async () => {
  await using w = await world({ agents: [agent("scripted", [], { process: "shared" })] });
  const [one, two] = [await w.create(), await w.create()];
  const pid = await w.pid(one.id);
  expect(await w.pid(two.id)).toBe(pid);
  await w.manager.close(one.id);
  expect(await w.pid(two.id)).toBe(pid);
  await w.manager.close(two.id);
  await until(() => w.agents.running().length === 0);
});

test("idle sessions that share a process make room for another one together", async () => {
  await using w = await world({ limits: { processes: 1 } });
  const { id } = await w.create();
  const { id: copy } = await w.manager.fork(id, caller);
  const { id: other } = await w.create();
  expect([id, copy, other].map((one) => w.manager.get(one).status)).toEqual(["dormant", "dormant", "idle"]);
  const busy = await w.send(other, "hang");
  await w.event(other, "prompt_started");
  expect((await refusal(w.create())).code).toBe("too_many_processes");
  await w.manager.cancel(other);
  await w.ended(other, busy.promptId);
  expect((await w.run(copy, "text back")).text).toBe("back");
});
