import { rm } from "node:fs/promises";
import { expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, refusal, world } from "./support.ts";

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
