import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CoolifyFake, startCoolifyFake } from "../src/index.ts";
import type { Ids } from "./support/compare.ts";
import { exchanges } from "./support/exchanges.ts";
import { replay } from "./support/replay.ts";
import { createStage, isLimited } from "./support/stage.ts";
import { request } from "./support/wait.ts";

/** The whole session is replayed once, in its order; then each exchange is a test. */
describe("an answer has the status and form that a real Coolify gave to", () => {
  const results = new Map<number, string[]>();
  let fake: CoolifyFake;
  let limited: CoolifyFake;

  beforeAll(async () => {
    fake = startCoolifyFake({
      deploymentMs: 60,
      statusLagMs: 3,
      healthMs: 3,
      stopMs: 1,
      deletionMs: 3,
      servers: [{ cpus: 2 }],
    });
    limited = startCoolifyFake({ rateLimit: { perMinute: 1 } });
    await request(limited, "GET", "/version");
    const ids: Ids = new Map();
    const prepare = createStage(fake);
    for (const exchange of exchanges) {
      const { line } = exchange;
      await prepare(line);
      results.set(line, await replay(isLimited(line) ? limited : fake, exchange, ids));
    }
  }, 60_000);

  afterAll(async () => {
    await fake.close();
    await limited.close();
  });

  test.each(exchanges.map(({ line, label }) => [line, label.trim()] as const))("line %i: %s", (line) => {
    expect(results.get(line)).toEqual([]);
  });
});
