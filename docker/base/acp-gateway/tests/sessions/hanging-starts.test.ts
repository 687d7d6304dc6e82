import { Database } from "bun:sqlite";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { agent, refusal, type World, world } from "./support.ts";

/** Far below what a start may take, and above what a slow machine needs to kill a process. */
const AT_ONCE_MS = 3000;
/** An agent that does not listen would hold up by far more than that what asks it gently. */
const SLOW_TO_KILL = { agentTiming: { graceMs: 5000 } };

/** The session's next process does not answer this method. */
async function asleep(w: World, method: string, { loads = true } = {}) {
  const { id } = await w.create();
  await w.run(id, "text before");
  process.kill(await w.pid(id), "SIGKILL");
  await w.event(id, "agent_exited");
  await Bun.write(join(w.state, "flags"), `--hang\n${method}\n${loads ? "" : "--no-load\n"}`);
  return id;
}

/** The process has been asked what it does not answer: it ignores whatever is gentler than SIGKILL. */
async function hanging(w: World): Promise<number> {
  await until(() => w.agents.running().length === 1);
  const [{ pid } = { pid: 0 }] = w.agents.running();
  const ignoresTerm = async () => {
    const caught = /SigCgt:\s*([0-9a-f]+)/.exec(await Bun.file(`/proc/${pid}/status`).text())?.[1] ?? "0";
    return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
  };
  await until(ignoresTerm);
  return pid;
}

const groupLives = (pid: number): boolean => {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
};

async function within<Result>(work: Promise<Result>): Promise<Result> {
  const begun = performance.now();
  const result = await work;
  expect(performance.now() - begun).toBeLessThan(AT_ONCE_MS);
  return result;
}

function stored(w: World, sql: string): unknown[] {
  const db = new Database(join(w.workspace, ".agentpod/gateway/log/gateway.sqlite"), { readonly: true });
  try {
    return db.query(sql).all();
  } finally {
    db.close();
  }
}

const METHODS = ["initialize", "session/load", "session/resume", "session/new"] as const;

for (const method of METHODS) {
  describe(`an agent that does not answer ${method}`, () => {
    const how = method === "session/resume" ? "resume" : "load";
    // A session is made anew by a prompt, when its agent can open none again.
    const isByPrompt = method === "session/new";

    async function begun(w: World) {
      const id = await asleep(w, method, { loads: !isByPrompt });
      const waiting = isByPrompt ? w.run(id, "text never") : refusal(w.manager.open(id, how));
      const pid = await hanging(w);
      expect(w.manager.get(id).status).toBe("starting");
      return { id, pid, told: waiting.then((end) => ("code" in end ? end.code : end.status)) };
    }

    for (const [what, end, code, status] of [
      ["a close", "close", "session_closed", "closed"],
      ["a removal", "remove", "session_closed", null],
      ["a cancel", "cancel", "agent_exited", "dormant"],
    ] as const) {
      test(`is ended at once by ${what}`, async () => {
        await using w = await world(SLOW_TO_KILL);
        const { id, pid, told } = await begun(w);
        await within<unknown>(w.manager[end](id));
        expect(await within(told)).toBe(isByPrompt ? "cancelled" : code);
        await within(until(() => !groupLives(pid) && w.agents.running().length === 0));
        if (status === null) {
          expect(await refusal(Promise.resolve().then(() => w.manager.get(id)))).toMatchObject({
            code: "session_not_found",
          });
          expect(stored(w, "SELECT id FROM session")).toEqual([]);
        } else expect(w.manager.get(id)).toMatchObject({ status, error: null, runningPromptId: null });
        expect(w.manager.activity()).toMatchObject({ idle: true, agentsRunning: 0 });
        expect(stored(w, "SELECT * FROM prompt WHERE status IN ('queued', 'running')")).toEqual([]);
        // Nothing failed, so nothing keeps the agent from being started again.
        expect(w.agents.counters()["startsFailed"]).toBe(0);
        if (end !== "cancel") return;
        await Bun.write(join(w.state, "flags"), "");
        expect(await w.run(id, "text again")).toMatchObject({ status: "finished", text: "again" });
      }, 20_000);
    }

    test("is ended at once by the gateway's end", async () => {
      await using w = await world(SLOW_TO_KILL);
      const { id, pid, told } = await begun(w);
      await Bun.write(join(w.state, "flags"), "");
      await within(w.restart());
      expect(groupLives(pid)).toBe(false);
      expect(await told).toBe(isByPrompt ? "interrupted" : "shutting_down");
      expect(w.manager.get(id)).toMatchObject({ status: "dormant", error: null });
      expect(await w.run(id, "text again")).toMatchObject({ text: "again" });
    }, 20_000);

    if (method === "initialize" || method === "session/new") {
      test("leaves no session behind when the gateway ends while one is made", async () => {
        await using w = await world({ ...SLOW_TO_KILL, agents: [agent("scripted", ["--hang", method])] });
        const made = refusal(w.create());
        const pid = await hanging(w);
        await within(w.restart());
        expect((await made).code).toBe("shutting_down");
        expect(groupLives(pid)).toBe(false);
        expect(w.manager.list({ limit: 10 }).sessions).toEqual([]);
        expect(stored(w, "SELECT id FROM session")).toEqual([]);
      }, 20_000);
    }
  });
}

test("a cancelled prompt whose agent is on its way up leaves the start to the prompt behind it", async () => {
  await using w = await world(SLOW_TO_KILL);
  const id = await asleep(w, "session/load");
  const first = await w.send(id, "text first");
  const pid = await hanging(w);
  const second = await w.send(id, "text second");
  expect(await w.manager.cancel(id)).toEqual({ cancelled: [first.promptId] });
  expect([groupLives(pid), w.manager.getPrompt(id, second.promptId).status]).toEqual([true, "running"]);
  expect(await within(w.manager.cancel(id))).toEqual({ cancelled: [second.promptId] });
  await within(until(() => !groupLives(pid)));
  expect(w.manager.get(id).status).toBe("dormant");
}, 20_000);

test("one who gives up a start takes no process away from others that share it", async () => {
  const shared = agent("scripted", [], { process: "shared" });
  await using w = await world({ ...SLOW_TO_KILL, agents: [shared] });
  const [one, other] = [await w.create(), await w.create()];
  const pid = await w.pid(other.id);
  expect(await w.pid(one.id)).toBe(pid);
  await Promise.all([w.manager.close(one.id), w.manager.close(other.id)]);
  await until(() => w.agents.running().length === 0);
  await Bun.write(join(w.state, "flags"), "--hang\ninitialize\n");
  const loads = [one, other].map(({ id }) => refusal(w.manager.open(id, "load")));
  const started = await hanging(w);
  await within(w.manager.cancel(one.id));
  expect([(await loads[0])?.code, groupLives(started)]).toEqual(["agent_exited", true]);
  expect(w.manager.get(other.id).status).toBe("starting");
  await within(w.manager.cancel(other.id));
  await within(until(() => !groupLives(started)));
}, 20_000);
