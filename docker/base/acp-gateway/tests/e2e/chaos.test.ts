import { expect, test } from "bun:test";
import { permission, promptAccepted, session, sessionPage } from "../../src/wire/index.ts";
import { until } from "../support/gateway.ts";
import { checkSession, type Known } from "./support/chaos-check.ts";
import { dice, follow } from "./support/chaos-client.ts";
import { AGENTS, restartedGateway } from "./support/chaos-gateway.ts";

const SEEDS = (process.env["AGENTPOD_CHAOS_SEEDS"] ?? "1 22 333 4444 55555 666666").split(" ").map(Number);
const STEPS = 100;
const SESSIONS_MAX = 4;
const SCRIPTS = [
  "text a",
  "say 30 4",
  "flood 3000 250",
  "hang",
  "deaf",
  "error -32603 no",
  "exit 1",
  "crash",
  "ask edit x",
  "ask read y\nask edit z\ntext done",
  "elicit who",
  "long 200000",
  "say 3 2\nexit 0",
  "notify x/y",
  "raw no json",
];

for (const seed of SEEDS) {
  test(`what a client was told holds, whatever is killed meanwhile (seed ${seed})`, async () => {
    await using world = await restartedGateway();
    const roll = dice(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[roll(Math.max(1, list.length))];
    const known: Known[] = [];
    const under = new Set<Promise<unknown>>();

    /** Asks until a gateway answers; undefined when none did. */
    async function ask(method: string, path: string, body?: unknown, key?: string): Promise<Response | undefined> {
      for (let attempt = 0; attempt < (key === undefined ? 1 : 50); attempt++) {
        try {
          const { get } = await world.current();
          const headers = {
            "content-type": "application/json",
            ...(key === undefined ? {} : { "idempotency-key": key }),
          };
          const response = await get(path, {
            method,
            headers,
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          // A gateway that ends takes nothing; the next one does.
          if (response.status !== 503 || key === undefined) return response;
        } catch {
          // Killed before it answered.
        }
        await Bun.sleep(50);
      }
      return undefined;
    }

    async function create(): Promise<void> {
      const response = await ask("POST", "/v1/sessions", { agent: pick(AGENTS) });
      if (response?.status !== 201) return;
      const { id } = session.parse(await response.json());
      const reader = follow(async (after, signal) =>
        (await world.current()).get(`/v1/sessions/${id}/events?after=${after}`, { signal }),
      );
      known.push({ id, reader, accepted: new Set(), answered: new Map(), deleted: false });
    }

    async function prompt(to: Known, text: string): Promise<void> {
      const key = crypto.randomUUID();
      const response = await ask("POST", `/v1/sessions/${to.id}/prompt`, { text }, key);
      if (response?.status === 202) to.accepted.add(promptAccepted.parse(await response.json()).promptId);
    }

    async function answer(to: Known, decision: string): Promise<void> {
      const response = await ask("GET", `/v1/sessions/${to.id}/permissions`);
      if (response?.status !== 200) return;
      const { permissions } = (await response.json()) as { permissions: { id: string }[] };
      for (const { id } of permissions) {
        const done = await ask("POST", `/v1/sessions/${to.id}/permissions/${id}`, { decision });
        if (done?.status === 200) to.answered.set(id, JSON.stringify(permission.parse(await done.json()).outcome));
      }
    }

    async function remove(of: Known): Promise<void> {
      const response = await ask("DELETE", `/v1/sessions/${of.id}`);
      if (response?.status === 204) of.deleted = true;
    }

    async function step(): Promise<unknown> {
      const one = pick(known.filter(({ deleted }) => !deleted));
      const what = roll(100);
      if (!one || (what < 6 && known.length < SESSIONS_MAX)) return create();
      if (what < 50) return prompt(one, pick(SCRIPTS) ?? "");
      if (what < 60) return ask("POST", `/v1/sessions/${one.id}/cancel`, { queued: roll(3) === 0 });
      if (what < 72) return answer(one, roll(2) === 0 ? "allow_once" : "reject_once");
      if (what < 76) {
        const pid = pick(world.agentPids());
        if (pid !== undefined) process.kill(pid, roll(2) === 0 ? "SIGKILL" : "SIGTERM");
        return undefined;
      }
      if (what < 81) return ask("POST", `/v1/sessions/${one.id}/close`, {});
      if (what < 87) return ask("POST", `/v1/sessions/${one.id}/${pick(["load", "resume", "fork"])}`, {});
      if (what < 89) return remove(one);
      return Bun.sleep(roll(200));
    }

    await create();
    for (let count = 0; count < STEPS; count++) {
      if (roll(18) === 0) {
        await world.restart(roll(4) === 0 ? "SIGTERM" : "SIGKILL");
        continue;
      }
      const work = step().catch((error: unknown) => void (String(error).includes("ESRCH") ? 0 : Promise.reject(error)));
      under.add(work);
      void work.finally(() => under.delete(work));
      if (roll(3) > 0) await Promise.race([work, Bun.sleep(roll(150))]);
    }
    await Promise.all(under);
    if (roll(2) === 0) await world.restart("SIGKILL");

    // What still hangs or asks is ended.
    const deadline = Date.now() + 60_000;
    const list = async () => {
      const { get } = await world.current();
      return sessionPage.parse(await (await get("/v1/sessions?limit=200")).json()).sessions;
    };
    for (;;) {
      const busy = (await list()).filter(
        ({ runningPromptId, queuedPrompts }) => runningPromptId !== null || queuedPrompts > 0,
      );
      if (busy.length === 0) break;
      expect(Date.now()).toBeLessThan(deadline);
      for (const { id } of busy) await ask("POST", `/v1/sessions/${id}/cancel`, { queued: true });
      await Bun.sleep(200);
    }

    const there = new Set((await list()).map(({ id }) => id));
    for (const one of known) {
      if (one.deleted) expect([...there]).not.toContain(one.id);
      // A delete that was never answered may have been done.
      if (!there.has(one.id)) continue;
      await checkSession((await world.current()).get, one);
    }
    for (const { reader } of known) await reader.stop();
    expect(await world.end()).toBe(0);
    await until(() => world.agentPids().length === 0);
    const bugs = world.logged.filter((line) =>
      /unexpected|could not be (?:stored|handled|taken)|internal|failed"/.test(line),
    );
    expect(bugs).toEqual([]);
  }, 120_000);
}
