import { expect, test } from "bun:test";
import { caller, world } from "./support.ts";

/** A sequence that is the same for the same seed. */
function dice(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const SCRIPTS = ["text a", "say 3 4", "hang", "error -32603 no", "exit 1", "ask edit x", "crash", "say 2 2\nexit 0"];

for (const seed of [11, 4242]) {
  test(`every prompt starts at most once and ends exactly once, whatever happens (seed ${seed})`, async () => {
    const agentTiming = { failuresMax: 1000 };
    await using w = await world({ agentTiming, limits: { queuedPrompts: 100 }, timing: { cancelGraceMs: 300 } });
    const roll = dice(seed);
    const ids = [(await w.create()).id, (await w.create()).id];
    const sent: [string, string][] = [];
    for (let step = 0; step < 100; step++) {
      const id = ids[roll(2)] ?? "";
      switch (roll(8)) {
        case 0:
          await w.manager.cancel(id, { queued: roll(2) === 0 });
          break;
        case 1: {
          const pid = w.agents.running()[roll(2)]?.pid;
          if (pid !== undefined) process.kill(pid, "SIGKILL");
          break;
        }
        case 2:
          for (const permission of w.manager.permissions(id, "pending")) {
            await w.manager.answerPermission(id, permission.id, { decision: "allow_once" }, caller);
          }
          break;
        case 3:
          if (roll(6) === 0) await w.restart();
          break;
        case 4:
        case 5:
          await Bun.sleep(roll(150));
          break;
        default: {
          const text = SCRIPTS[roll(SCRIPTS.length)] ?? "";
          sent.push([id, (await w.send(id, text)).promptId]);
        }
      }
    }
    // What still hangs or asks is ended, one after the other.
    const deadline = Date.now() + 30_000;
    while (!w.manager.activity().idle) {
      expect(Date.now()).toBeLessThan(deadline);
      await Bun.sleep(250);
      for (const id of ids) await w.manager.cancel(id);
    }
    const ends = new Set<string>();
    for (const [id, promptId] of sent) {
      const { status } = await w.ended(id, promptId);
      ends.add(status);
      const types = (await w.events(id)).filter((event) => event.promptId === promptId).map(({ type }) => type);
      const own = types.filter((type) => type.startsWith("prompt_"));
      const started = own.filter((type) => type === "prompt_started").length;
      expect([promptId, own]).toEqual([
        promptId,
        ["prompt_queued", ...(started ? ["prompt_started"] : []), `prompt_${status}`],
      ]);
      const requested = types.filter((type) => type === "permission_requested").length;
      expect(types.filter((type) => type === "permission_resolved")).toHaveLength(requested);
    }
    // Else the dice were kind and the test has shown little.
    expect(ends.size).toBeGreaterThan(1);
    for (const id of ids) expect(await w.run(id, "text alive")).toMatchObject({ text: "alive" });
    expect(w.reported.filter(({ message }) => message === "unexpected error")).toEqual([]);
  }, 60_000);
}
