import { Database } from "bun:sqlite";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { SessionRecord } from "../../src/sessions/live-session.ts";
import { until } from "../support/gateway.ts";
import { agent, caller, refusal, type World, world } from "./support.ts";

for (const flags of [[], ["--bare-load"]]) {
  const tells = flags.length === 0 ? "tells" : "does not tell";
  test(`an agent that ${tells} on load how it is set is set again as it was`, async () => {
    await using w = await world({ agents: [agent("scripted", flags)] });
    const { id } = await w.create({ mode: "ask", model: "large" });
    expect((await w.run(id, "settings")).text).toBe("ask large");
    process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
    await until(() => w.manager.get(id).status === "dormant");
    expect((await w.run(id, "settings")).text).toBe("ask large");
    await w.restart();
    expect((await w.run(id, "settings")).text).toBe("ask large");
    expect(w.manager.get(id).modes).toMatchObject({ currentModeId: "ask" });
    const opened = (await w.events(id)).filter(({ type }) => type === "session_opened").map(({ data }) => data);
    expect(opened.map((data) => [data?.["how"], data?.["notRestored"]])).toEqual([
      ["new", undefined],
      ["load", undefined],
      ["load", undefined],
    ]);
  });
}

test("how an agent was set is not forgotten where it refuses to load", async () => {
  await using w = await world({ agents: [agent("scripted", ["--bare-load"])] });
  const { id, agentSessionId, modes, configOptions } = await w.create({ mode: "ask", model: "large" });
  await w.manager.close(id);
  await rm(`${w.state}/${agentSessionId}.jsonl`);
  expect((await refusal(w.manager.open(id, "load"))).code).toBe("agent_error");
  expect(w.manager.get(id)).toMatchObject({ modes, configOptions });
});

for (const [what, cut] of [
  ["given up", (w: World, id: string) => w.manager.cancel(id)],
  ["cut off by the gateway's end", (w: World) => w.restart()],
] as const) {
  test(`how an agent was set is not forgotten where its start is ${what} before it is set again`, async () => {
    await using w = await world();
    const { id } = await w.create({ mode: "ask", model: "large" });
    await w.run(id, "text here");
    await w.restart();
    await Bun.write(`${w.state}/flags`, "--hang\nsession/set_mode");
    const opening = refusal(w.manager.open(id, "load"));
    await until(() => w.manager.get(id).modes?.["currentModeId"] === "auto");
    await cut(w, id);
    await opening;
    await rm(`${w.state}/flags`);
    expect((await w.run(id, "settings")).text).toBe("ask large");
  });
}

test("how an agent was set is not forgotten where it ends before it is set again", async () => {
  await using w = await world();
  const { id } = await w.create({ mode: "ask" });
  await w.run(id, "text here");
  await w.restart();
  await Bun.write(`${w.state}/flags`, "--hang\nsession/set_mode");
  const opening = w.manager.open(id, "load").catch(() => {});
  await until(() => w.manager.get(id).modes?.["currentModeId"] === "auto");
  await rm(`${w.state}/flags`);
  process.kill(w.agents.running()[0]?.pid ?? 0, "SIGKILL");
  await opening;
  expect((await w.run(id, "settings")).text).toBe("ask small");
});

test("what is stored while an agent starts is how the session is to be, not how the agent began", async () => {
  await using w = await world();
  const { id } = await w.create({ mode: "ask", model: "large" });
  await w.run(id, "text here");
  await w.restart();
  const db = new Database(join(w.workspace, ".agentpod/gateway/log/gateway.sqlite"), { readonly: true });
  const stored = () => {
    const row = db.query<{ record: string }, [string]>("SELECT record FROM session WHERE id = ?").get(id);
    return JSON.parse(row?.record ?? "{}") as Pick<SessionRecord, "title" | "modes" | "configOptions">;
  };
  const { modes, configOptions } = w.manager.get(id);
  await Bun.write(`${w.state}/flags`, "--hang\nsession/set_mode");
  const opening = refusal(w.manager.open(id, "load"));
  await until(() => w.manager.get(id).modes?.["currentModeId"] === "auto");
  await w.manager.patch(id, { title: "Written meanwhile" }, caller);
  expect(stored()).toMatchObject({ title: "Written meanwhile", modes, configOptions });
  await w.manager.cancel(id);
  await opening;
  await rm(`${w.state}/flags`);
  await w.run(id, "text again");
  await w.manager.setMode(id, "auto");
  expect(stored().modes).toMatchObject({ currentModeId: "auto" });
  db.close();
});
