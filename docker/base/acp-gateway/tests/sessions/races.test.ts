import { Database } from "bun:sqlite";
import { rename, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import { describe, expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, caller, refusal, world } from "./support.ts";

const ASK = JSON.stringify({
  jsonrpc: "2.0",
  id: 901,
  method: "session/request_permission",
  params: {
    sessionId: "$SESSION",
    toolCall: { toolCallId: "late" },
    options: [{ optionId: "a", name: "A", kind: "allow_once" }],
  },
});

describe("ends of sessions that meet other calls", () => {
  test("a load during a close waits for its end and opens the session again", async () => {
    await using w = await world();
    const { id } = await w.create();
    const { promptId } = await w.send(id, "deaf");
    await w.event(id, "prompt_started");
    const [closed, opened] = await Promise.all([w.manager.close(id), w.manager.open(id, "load")]);
    expect([closed.status, opened.status, w.manager.get(id).status]).toEqual(["closed", "idle", "idle"]);
    const types = await w.types(id);
    expect(types.lastIndexOf("session_opened")).toBeGreaterThan(types.lastIndexOf("session_closed"));
    expect(w.manager.getPrompt(id, promptId).status).toBe("cancelled");
    expect(await w.run(id, "text there")).toMatchObject({ text: "there" });
  });

  test("until it is done, a close that is cut off by the gateway's end has not happened", async () => {
    await using w = await world();
    const { id } = await w.create();
    await w.send(id, "deaf");
    await w.event(id, "prompt_started");
    const { promptId } = await w.send(id, "text queued");
    const closed = w.manager.close(id);
    await w.event(id, "prompt_cancelled", (event) => event.promptId === promptId);
    const db = new Database(join(w.workspace, ".agentpod/gateway/log/gateway.sqlite"), { readonly: true });
    const stored = () => {
      const row = db.query<{ record: string }, [string]>("SELECT record FROM session WHERE id = ?").get(id);
      return (JSON.parse(row?.record ?? "{}") as { closed?: boolean }).closed;
    };
    expect([await w.types(id), stored()]).toEqual([expect.not.arrayContaining(["session_closed"]), false]);
    await closed;
    expect([(await w.types(id)).at(-1), stored()]).toEqual(["session_closed", true]);
    db.close();
  });

  test("a closed session that is opened again says so, also when its agent cannot be started", async () => {
    await using w = await world({ agents: [agent("scripted", ["--no-load"])] });
    const { id } = await w.create();
    await w.manager.close(id);
    expect((await refusal(w.manager.open(id, "load"))).code).toBe("not_supported");
    expect(w.manager.get(id).status).toBe("dormant");
    const closedAt = (await w.event(id, "session_closed")).seq;
    const updated = await w.event(id, "session_updated", ({ seq }) => seq > closedAt);
    expect(updated.data).toEqual({ status: "dormant" });
  });

  test("a session that is being deleted takes neither a load nor a prompt, and both deletes end together", async () => {
    await using w = await world();
    const { id } = await w.create();
    await w.send(id, "deaf");
    await w.event(id, "prompt_started");
    const first = w.manager.close(id);
    const removes = [w.manager.remove(id), w.manager.remove(id)];
    const late = [w.manager.open(id, "load"), w.send(id, "text late")].map(refusal);
    await Promise.all([first, ...removes]);
    expect((await Promise.all(late)).map(({ code }) => code)).toEqual(["session_not_found", "session_closed"]);
    expect(w.manager.activity()).toMatchObject({ sessions: 0, turnsRunning: 0, promptsQueued: 0 });
    await until(() => w.agents.running().length === 0);
  });

  for (const [how, end] of [
    ["closed", "close"],
    ["deleted", "remove"],
  ] as const) {
    test(`a session that is ${how} while its agent does not answer session/load leaves no process`, async () => {
      await using w = await world({ agents: [agent("scripted", ["--hang", "session/load"])] });
      const { id } = await w.create();
      process.kill(await w.pid(id), "SIGKILL");
      await w.event(id, "agent_exited");
      const load = refusal(w.manager.open(id, "load"));
      await until(() => w.agents.running().length === 1 && w.manager.get(id).status === "starting");
      await w.event(id, "agent_started", ({ seq }) => seq > 4);
      await w.manager[end](id);
      expect((await load).code).toBe("session_closed");
      await until(() => w.agents.running().length === 0);
    });
  }

  test("what waits for an answer outside of a turn ends with its session, though the process lives on", async () => {
    await using w = await world();
    const parent = await w.create();
    const child = await w.manager.fork(parent.id, caller);
    await w.run(child.id, `after 20 ${ASK}`);
    await until(() => w.manager.permissions(child.id, "pending").length === 1);
    await w.manager.close(child.id);
    expect(w.agents.running()).toHaveLength(1);
    expect(w.manager.permissions(child.id).map(({ status }) => status)).toEqual(["cancelled"]);
    expect(w.manager.activity().permissionsPending).toBe(0);
  });

  test("a prompt of one session is not waited for by way of another", async () => {
    await using w = await world();
    const [one, other] = [await w.create(), await w.create()];
    const { promptId } = await w.send(one.id, "hang");
    const found = refusal(w.manager.waitForPrompt(other.id, promptId, 5000));
    expect(await Promise.race([found.then(({ code }) => code), Bun.sleep(1000)])).toBe("prompt_not_found");
    await w.manager.cancel(one.id);
  });

  test("no agent is started again in a folder that was replaced by a link to elsewhere", async () => {
    await using w = await world();
    const folder = join(w.workspace, "project");
    await mkdir(folder);
    const { id } = await w.create({ cwd: "project" });
    process.kill(await w.pid(id), "SIGKILL");
    await w.event(id, "agent_exited");
    await rename(folder, `${folder}-before`);
    await symlink(tmpdir(), folder);
    const { promptId } = await w.send(id, "cwd");
    expect(await w.ended(id, promptId)).toMatchObject({ status: "failed", error: { code: "path_not_allowed" } });
    expect(w.agents.running()).toEqual([]);
  });
});
