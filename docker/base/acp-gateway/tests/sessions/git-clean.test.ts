import { existsSync, lstatSync, readFileSync } from "node:fs";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { eventPage, promptAnswer, session, sessionPage, type GatewayEvent } from "../../src/wire/index.ts";
import { AS_ANOTHER_USER, giveAway } from "../support/another-user.ts";
import { startGateway, temporaryFolder, until } from "../support/gateway.ts";
import { agent } from "./support.ts";

type Gateway = Awaited<ReturnType<typeof startGateway>>;

async function eventsOf(gateway: Gateway, id: string): Promise<GatewayEvent[]> {
  const response = await gateway.get(`/v1/sessions/${id}/events?limit=1000`, {
    headers: { accept: "application/json" },
  });
  return eventPage.parse(await response.json()).events;
}

/** A gateway that the modes of files hold, in a workspace with a home folder like that of the images. */
async function prepare(folder: string) {
  const workspace = join(folder, "workspace");
  const home = join(folder, "home");
  const kept = join(workspace, ".agentpod/home/.claude");
  const agentsFile = join(folder, "agents.json");
  for (const path of [workspace, home, join(workspace, ".agentpod"), join(workspace, ".agentpod/home"), kept]) {
    await mkdir(path);
    giveAway(path);
  }
  await symlink(kept, join(home, ".claude"));
  await writeFile(
    agentsFile,
    JSON.stringify({ agents: [agent("scripted"), { ...agent("npm"), command: ["nowhere"] }] }),
  );
  giveAway(folder);
  const env = { AGENTPOD_AGENTS_FILE: agentsFile, HOME: home };
  const inWorkspace = (...command: string[]) =>
    Bun.spawnSync([...AS_ANOTHER_USER, ...command], { cwd: workspace, env: { PATH: "/usr/bin:/bin", HOME: home } });
  return { workspace, kept, inWorkspace, start: () => startGateway(env, { workspace, prefix: AS_ANOTHER_USER }) };
}

const cleanings = {
  "git clean -fdxq": ["sh", "-c", "git init -q && git clean -fdxq"],
  "rm -rf .agentpod": ["rm", "-rf", ".agentpod"],
};

for (const [name, command] of Object.entries(cleanings)) {
  test(`${name} in the workspace takes no session and no event, before and after kill -9`, async () => {
    await using folder = await temporaryFolder();
    const { workspace, kept, inWorkspace, start } = await prepare(folder.path);
    const data = join(workspace, ".agentpod/gateway");
    let events: GatewayEvent[];
    let ids: string[];
    {
      await using gateway = await start();
      const create = async () =>
        session.parse(await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()).id;
      const id = await create();
      ids = [id, await create()].toSorted();
      const turn = gateway.post(`/v1/sessions/${id}/prompt?wait=60`, { text: "say 300 2\ntext the end" });
      await until(async () => (await eventsOf(gateway, id)).some(({ type }) => type === "agent_message_chunk"));
      inWorkspace(...command);
      expect(existsSync(kept)).toBe(false);
      expect(existsSync(join(data, "processes.json"))).toBe(false);
      inWorkspace("git", "init", "-q");
      const untracked = () => inWorkspace("git", "status", "--porcelain", "-uall").stdout.toString();
      expect(untracked()).toBe("");
      expect(promptAnswer.parse(await (await turn).json())).toMatchObject({ status: "finished" });
      expect((await gateway.get("/readyz")).status).toBe(200);

      // What is needed is made again.
      ids = [...ids, await create()].toSorted();
      expect(JSON.parse(readFileSync(join(data, "processes.json"), "utf8"))).toMatchObject({ processes: [{}, {}, {}] });
      expect(lstatSync(kept).isDirectory()).toBe(true);
      expect(untracked()).toBe("");
      const absent = await gateway.post("/v1/sessions", { agent: "npm" });
      expect(await absent.json()).toMatchObject({ code: "agent_not_installed" });
      events = await eventsOf(gateway, id);
      expect(events.filter(({ type }) => type === "agent_message_chunk")).toHaveLength(301);
      gateway.child.kill("SIGKILL");
      await gateway.child.exited;
      inWorkspace(...command);
    }

    await using again = await start();
    const listed = sessionPage.parse(await (await again.get("/v1/sessions")).json());
    expect(listed.sessions.map(({ id }) => id).toSorted()).toEqual(ids);
    const [sessionId = ""] = events.map((event) => event.sessionId);
    expect((await eventsOf(again, sessionId)).slice(0, events.length)).toEqual(events);
    expect(again.logged.filter((line) => line.includes("cannot"))).toEqual([]);
  }, 30_000);
}

test("a log that is removed all the same makes the gateway not ready, and nothing new is taken", async () => {
  await using gateway = await startGateway();
  const { id } = session.parse(await (await gateway.post("/v1/sessions", { agent: "scripted" })).json());
  const turn = gateway.post(`/v1/sessions/${id}/prompt?wait=60`, { text: "say 300 2\ntext the end" });
  await until(async () => (await eventsOf(gateway, id)).some(({ type }) => type === "agent_message_chunk"));
  await chmod(join(gateway.workspace, ".agentpod/gateway/log"), 0o700);
  await rm(join(gateway.workspace, ".agentpod"), { recursive: true });

  const ready = await gateway.get("/readyz");
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: "not ready", checks: { log: "removed" } });
  for (const [path, body] of [
    ["/v1/sessions", { agent: "scripted" }],
    [`/v1/sessions/${id}/prompt`, { text: "text lost" }],
  ] as const) {
    const refused = await gateway.post(path, body);
    expect(refused.status).toBe(507);
    const { code, detail } = (await refused.json()) as { code: string; detail: string };
    expect(code).toBe("storage_full");
    expect(detail).toContain("restart the gateway");
  }
  // What runs is seen to its end.
  expect(await (await turn).json()).toMatchObject({ status: "finished" });
  const events = await eventsOf(gateway, id);
  expect(events.filter(({ type }) => type === "agent_message_chunk")).toHaveLength(301);
  expect(gateway.logged.filter((line) => line.includes("was removed"))).toHaveLength(1);
}, 30_000);
