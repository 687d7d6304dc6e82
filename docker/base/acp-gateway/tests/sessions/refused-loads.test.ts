import { join } from "node:path";
import { expect, test } from "bun:test";
import { agent, refusal, type World, world } from "./support.ts";

/** A session without a process, whose agent will not load it again. */
async function lost(w: World) {
  const { id } = await w.create();
  process.kill(await w.pid(id), "SIGKILL");
  await w.event(id, "agent_exited");
  await Bun.write(join(w.state, "flags"), "--refuse-load\n");
  return id;
}

test("a load that the agent refuses leaves the session as it was, says so in the log, and a prompt works", async () => {
  await using w = await world();
  const id = await lost(w);
  const before = w.manager.get(id).status;
  const error = await refusal(w.manager.open(id, "load"));
  expect(error).toMatchObject({
    code: "agent_error",
    details: { rpc: { code: -32_002, message: "the session is lost" } },
  });
  expect([before, w.manager.get(id).status, w.manager.get(id).error]).toEqual(["dormant", "dormant", null]);
  const failed = await w.event(id, "session_failed");
  expect(failed.data).toMatchObject({ error: { code: "agent_error", rpc: { code: -32_002 } } });
  const updated = await w.event(id, "session_updated", ({ seq }) => seq > failed.seq);
  expect(updated.data).toEqual({ status: "dormant" });
  await w.restart();
  expect(w.manager.get(id)).toMatchObject({ status: "dormant", error: null });
  expect(await w.run(id, "text works")).toMatchObject({ status: "finished", text: "works" });
});

test("a prompt that comes while a load is being refused opens the session in another way", async () => {
  await using w = await world();
  const id = await lost(w);
  const load = refusal(w.manager.open(id, "load"));
  expect(await w.run(id, "text works")).toMatchObject({ status: "finished", text: "works" });
  expect((await load).code).toBe("agent_error");
  expect(await w.event(id, "session_opened", ({ data }) => data?.["how"] !== "new")).toMatchObject({
    data: { how: "resume" },
  });
});

test("a resume that the agent does not offer leaves the session as it was", async () => {
  await using w = await world({ agents: [agent("scripted", ["--no-load"])] });
  const { id } = await w.create();
  process.kill(await w.pid(id), "SIGKILL");
  await w.event(id, "agent_exited");
  expect((await refusal(w.manager.open(id, "resume"))).code).toBe("not_supported");
  expect(w.manager.get(id)).toMatchObject({ status: "dormant", error: null });
  expect(await w.run(id, "text works")).toMatchObject({ text: "works" });
});

test("a load whose agent does not come up still leaves the session failed", async () => {
  await using w = await world();
  const id = await lost(w);
  await Bun.write(join(w.state, "flags"), "--exit\n3\n");
  expect((await refusal(w.manager.open(id, "load"))).code).toBe("agent_exited");
  expect(w.manager.get(id)).toMatchObject({ status: "failed", error: { code: "agent_exited" } });
});
