import { expect, test } from "bun:test";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../support/gateway.ts";
import { openTerminals } from "./support/world.ts";

async function codeOf(answer: Response): Promise<string> {
  const body: unknown = await answer.json();
  return typeof body === "object" && body !== null && "code" in body ? String(body.code) : "";
}

test("a shell runs on a terminal of its own, in the workspace, and tells how it ended", async () => {
  await using world = await openTerminals();
  const { id, cwd, command } = await world.open({ title: "main", columns: 100, rows: 30 });
  expect([cwd, command]).toEqual([world.workspace, ["/bin/bash"]]);
  const viewer = await world.view(id);
  viewer.type("tty; stty size; pwd; echo $((6 * 7)); echo $TERM\n");
  for (const text of ["/dev/pts/", "30 100", world.workspace, "42", "xterm-256color"]) await viewer.shows(text);
  viewer.type("exit 7\n");
  expect(await viewer.closed).toBe(1000);
  expect(viewer.notices.at(-1)).toEqual({ type: "exit", exitCode: 7, signal: null });
  const ended: unknown = await (await world.call(`/${id}`)).json();
  expect(ended).toMatchObject({ id, title: "main", status: "exited", exitCode: 7, viewers: 0 });
  expect(world.manager.openCount()).toBe(0);
});

test("the size follows the viewer that changed it last, and the others hear of it", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({
    command: ["bash", "-c", "trap 'stty size' WINCH; echo up; while :; do sleep 0.05; done"],
  });
  const [one, other] = [await world.view(id), await world.view(id)];
  await one.shows("up");
  one.control({ type: "resize", columns: 133, rows: 44 });
  await one.shows("44 133");
  expect(other.notices.at(-1)).toEqual({ type: "resize", columns: 133, rows: 44 });
  const bad = [
    { type: "resize", columns: 0, rows: 1 },
    { type: "resize", columns: 1e9, rows: 1 },
    { type: "bye" },
    "x",
    null,
  ];
  for (const message of bad) one.control(message);
  await until(() => one.notices.filter(({ type }) => type === "error").length === bad.length);
  expect(await (await world.call(`/${id}`)).json()).toMatchObject({ columns: 133, rows: 44, viewers: 2 });
});

const pager = Bun.which("less");
const fullScreen = "a program that draws on the whole screen works, and whoever comes later sees its screen";
test.skipIf(pager === null)(pager === null ? `${fullScreen} [skipped: there is no less]` : fullScreen, async () => {
  await using world = await openTerminals();
  await Bun.write(join(world.workspace, "long.txt"), Array.from({ length: 500 }, (_, n) => `line ${n}\n`).join(""));
  const { id } = await world.open({ command: ["less", "long.txt"], columns: 40, rows: 10 });
  const viewer = await world.view(id);
  await viewer.shows("line 8");
  // The alternate screen was entered.
  expect(viewer.seen.text).toContain("\u001b[?1049h");
  viewer.type("G");
  await viewer.shows("line 499");
  const late = await world.view(id);
  await late.shows("line 499");
  expect(late.seen.text).toBe(viewer.seen.text);
  late.type("q");
  expect(await viewer.closed).toBe(1000);
  expect(viewer.seen.text).toContain("\u001b[?1049l");
  expect(viewer.notices.at(-1)).toEqual({ type: "exit", exitCode: 0, signal: null });
});

test("a viewer that comes back gets what it has not seen", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({ command: ["sh", "-c", "echo first; read -r _; echo second; read -r _"] });
  const before = await world.view(id);
  await before.shows("first");
  before.close();
  await before.closed;
  const offset = before.seen.bytes;
  const after = await world.view(id, `?after=${offset}`);
  expect(after.notices[0]).toMatchObject({ type: "ready", offset });
  after.type("\n");
  await after.shows("second");
  expect(after.seen.text).not.toContain("first");
  await expect(world.view(id, "?after=x")).rejects.toThrow("refused");
});

test("programs get the variables of children, never the gateway's", async () => {
  await using world = await openTerminals({
    environment: { AGENTPOD_GATEWAY_TOKEN: "a-secret-token", ANTHROPIC_API_KEY: "a-secret-key", LANG: "de_DE.UTF-8" },
  });
  const { id } = await world.open({ command: ["env"] });
  const viewer = await world.view(id);
  await viewer.closed;
  expect(viewer.seen.text).toContain("LANG=de_DE.UTF-8");
  expect(viewer.seen.text).toContain(`PWD=${world.workspace}`);
  expect(viewer.seen.text).not.toContain("secret");
});

test("arguments reach the program as they are", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({ command: ["printf", "[%s]", "a b; touch x", "$(touch x)", "`touch x`"] });
  const viewer = await world.view(id);
  await viewer.closed;
  expect(viewer.seen.text).toBe("[a b; touch x][$(touch x)][`touch x`]");
});

test.each([
  [{ cwd: "/etc" }, 403, "path_not_allowed"],
  [{ cwd: "../" }, 403, "path_not_allowed"],
  [{ cwd: "out" }, 403, "path_not_allowed"],
  [{ cwd: "gone" }, 404, "file_not_found"],
  [{ command: ["no-such-program"] }, 400, "invalid_request"],
  [{ command: ["/etc/passwd"] }, 400, "invalid_request"],
  [{ command: [] }, 400, "invalid_request"],
  [{ columns: 0 }, 400, "invalid_request"],
  [{ shell: "x" }, 400, "invalid_request"],
  [{ agent: "login" }, 400, "invalid_request"],
  [{ agent: "login", authMethodId: "login", command: ["sh"] }, 400, "invalid_request"],
  [{ agent: "login", authMethodId: "other" }, 400, "invalid_request"],
  [{ agent: "login", authMethodId: "browser" }, 409, "not_supported"],
  [{ agent: "unknown", authMethodId: "x" }, 404, "agent_not_found"],
  [{ agent: "gone", authMethodId: "x" }, 409, "agent_not_installed"],
])("refuses %j with %d %s", async (body, status, code) => {
  await using world = await openTerminals();
  await symlink("/etc", join(world.workspace, "out"));
  const answer = await world.post(body);
  expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
  expect(world.manager.list()).toEqual([]);
});

test("an agent's own program logs a person in, with the arguments and variables of its method", async () => {
  await using world = await openTerminals({ environment: { AGENTPOD_GATEWAY_TOKEN: "a-secret-token" } });
  const { id, agent, authMethodId } = await world.open({ agent: "login", authMethodId: "login", cwd: "inner" });
  expect([agent, authMethodId]).toEqual(["login", "login"]);
  const viewer = await world.view(id);
  await viewer.shows("args:a b; exit 9 $(exit 9) mode:person token:\r\nname? ");
  viewer.type("ada\n");
  await viewer.closed;
  expect(viewer.seen.text).toContain("welcome ada");
  expect(viewer.notices.at(-1)).toEqual({ type: "exit", exitCode: 0, signal: null });
});

test("only so many are open, and one that ended makes room", async () => {
  await using world = await openTerminals({ terminals: 2 });
  const all = await Promise.all(Array.from({ length: 6 }, () => world.post({ command: ["sleep", "60"] })));
  expect(all.filter(({ status }) => status === 201)).toHaveLength(2);
  const refused = all.filter(({ status }) => status === 429);
  expect(await Promise.all(refused.map(codeOf))).toEqual(Array<string>(4).fill("too_many_terminals"));
  const [first] = world.manager.list();
  expect((await world.call(`/${first?.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.call(`/${first?.id}`, { method: "DELETE" })).status).toBe(404);
  for (let turn = 0; turn < 25; turn += 1) {
    const { id } = await world.open({ command: ["true"] });
    await until(() => !world.manager.find(id).isRunning());
  }
  expect(world.manager.list().length).toBeLessThanOrEqual(1 + 17);
});

/** Whether a process is there and is not only waiting to be collected. */
async function lives(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text !== "" && !text.slice(text.lastIndexOf(")") + 2).startsWith("Z");
}

const STUBBORN = `
trap '' HUP TERM INT
set -m
(trap '' HUP TERM; sleep 300) &
sleep 301 &
nohup sleep 302 >/dev/null 2>&1 &
echo pids $$ $(jobs -p) end
while :; do sleep 1; done
`;

test.each(["removed", "closed"])(
  "whatever a program started in its terminal ends with it when it is %s",
  async (how) => {
    await using world = await openTerminals();
    const { id } = await world.open({ command: ["bash", "-c", STUBBORN] });
    const viewer = await world.view(id);
    await viewer.shows(" end");
    const pids = (/pids (.*) end/.exec(viewer.seen.text)?.[1] ?? "").trim().split(/\s+/).map(Number);
    expect(pids).toHaveLength(4);
    for (const pid of pids) expect(await lives(pid)).toBeTrue();
    if (how === "removed") await world.call(`/${id}`, { method: "DELETE" });
    else await world.manager.close();
    for (const pid of pids) expect(await lives(pid)).toBeFalse();
    expect(await viewer.closed).toBe(1000);
    expect(viewer.notices.at(-1)).toMatchObject({ type: "exit", signal: "SIGKILL" });
  },
);

test("a program that was killed is told with its signal", async () => {
  await using world = await openTerminals();
  const { id, pid } = await world.open({ command: ["sleep", "300"] });
  const viewer = await world.view(id);
  process.kill(pid, "SIGKILL");
  await viewer.closed;
  expect(viewer.notices.at(-1)).toEqual({ type: "exit", exitCode: null, signal: "SIGKILL" });
});

test("a program's end is told though another still holds the terminal open", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({ command: ["sh", "-c", "trap '' HUP; sleep 20 & echo $! left; exit 4"] });
  const viewer = await world.view(id);
  await viewer.closed;
  expect(viewer.notices.at(-1)).toEqual({ type: "exit", exitCode: 4, signal: null });
  process.kill(Number(/(\d+) left/.exec(viewer.seen.text)?.[1]), "SIGKILL");
});
