import { describe, expect, test } from "bun:test";
import { type CoolifyCall, createCoolifyClient } from "../src/index.ts";
import { failureFrom, serve } from "./support/serve.ts";

const limited = (seconds: number | null) =>
  Response.json(
    { message: "Too Many Attempts." },
    {
      status: 429,
      headers: {
        "X-RateLimit-Limit": "200",
        "X-RateLimit-Remaining": "0",
        ...(seconds === null ? {} : { "Retry-After": String(seconds) }),
      },
    },
  );
const version = (remaining: number) =>
  new Response("4.3.10", { headers: { "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": String(remaining) } });

/** A sleep that ends when the test says so. */
function heldSleep() {
  const naps: { ms: number; wake: () => void }[] = [];
  const sleep = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    naps.push({ ms, wake: resolve });
    return promise;
  };
  return { naps, sleep };
}

/** A sleep that takes no time and keeps how long it was asked to be. */
function instantSleep() {
  const slept: number[] = [];
  return { slept, sleep: (ms: number) => Promise.resolve(void slept.push(ms)) };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition was not met in time");
    await Bun.sleep(1);
  }
}

describe("a rate limit", () => {
  test("is waited out as Retry-After says, and the request is sent again, writes as well", async () => {
    let answers = 0;
    await using place = serve((request) => {
      answers += 1;
      if (answers % 2 === 1) return limited(38);
      return request.method === "GET" ? version(100) : Response.json({ message: "queued", deployment_uuid: "d" });
    });
    const { slept, sleep } = instantSleep();
    const calls: CoolifyCall[] = [];
    const options = { baseUrl: place.url, token: "t", sleep, onCall: (call: CoolifyCall) => calls.push(call) };
    expect(await createCoolifyClient(options).version()).toBe("4.3.10");
    expect(await createCoolifyClient(options).startApplication("a")).toMatchObject({ deploymentUuid: "d" });
    expect(slept.map((ms) => Math.round(ms / 1000))).toEqual([38, 38]);
    expect(calls.map(({ failure }) => failure)).toEqual(["rate_limited", null, "rate_limited", null]);
  });

  test("takes as long as asked, on the real clock", async () => {
    let answers = 0;
    await using place = serve(() => (++answers === 1 ? limited(1) : version(100)));
    const started = performance.now();
    await createCoolifyClient({ baseUrl: place.url, token: "t" }).version();
    expect(performance.now() - started).toBeWithin(990, 3000);
  });

  test("holds back every other call of the client, which are not even sent", async () => {
    let answers = 0;
    await using place = serve(() => (++answers === 1 ? limited(20) : version(100)));
    const { naps, sleep } = heldSleep();
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", sleep });
    const first = coolify.version();
    await until(() => naps.length === 1);
    const others = [coolify.version(), coolify.version()];
    await until(() => naps.length === 3);
    expect(place.requests).toHaveLength(1);
    for (const { wake } of naps) wake();
    expect(await Promise.all([first, ...others])).toEqual(["4.3.10", "4.3.10", "4.3.10"]);
    expect(place.requests).toHaveLength(4);
  });

  test("that lasts longer than the bound fails with how long to wait, and did nothing", async () => {
    await using place = serve(() => limited(30));
    const { slept, sleep } = instantSleep();
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", sleep, throttleMsMax: 65_000 });
    const error = await failureFrom(coolify.startApplication("a"));
    expect(error).toMatchObject({ failure: "rate_limited", status: 429, retryAfterMs: 30_000, mayHaveHappened: false });
    expect(slept).toHaveLength(2);
    expect(place.requests).toHaveLength(3);
    const next = await failureFrom(createCoolifyClient({ baseUrl: place.url, token: "t", throttleMsMax: 0 }).version());
    expect(next.failure).toBe("rate_limited");
  });

  test("that says nothing of a wait, or none, does not become a storm", async () => {
    for (const seconds of [null, 0]) {
      await using place = serve(() => limited(seconds));
      const { sleep } = instantSleep();
      await failureFrom(createCoolifyClient({ baseUrl: place.url, token: "t", sleep }).version());
      expect(place.requests.length).toBeLessThanOrEqual(67);
    }
  });

  test("is given up at once by a signal", async () => {
    await using place = serve(() => limited(50));
    const controller = new AbortController();
    const calls: CoolifyCall[] = [];
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", onCall: (call) => calls.push(call) });
    const call = failureFrom(coolify.stopApplication("a", { signal: controller.signal }));
    // Not before the refusal has come: until then nobody knows whether the stop was taken.
    await until(() => calls.length === 1);
    controller.abort();
    const error = await call;
    expect([error.failure, error.mayHaveHappened]).toEqual(["aborted", false]);
  });

  test("of the deployment queue is not waited for here", async () => {
    const full = { message: "Deployment queue is full. Please wait for existing deployments to complete." };
    await using place = serve(() => Response.json(full, { status: 429, headers: { "Retry-After": "60" } }));
    const { slept, sleep } = instantSleep();
    const error = await failureFrom(
      createCoolifyClient({ baseUrl: place.url, token: "t", sleep }).deploy({ uuid: "a", force: true }),
    );
    expect(error).toMatchObject({ failure: "queue_full", retryAfterMs: 60_000, mayHaveHappened: false });
    expect([slept.length, place.requests.length]).toEqual([0, 1]);
  });

  test("of /health is its own and holds nobody back", async () => {
    await using place = serve((request) => (request.url.endsWith("/health") ? limited(50) : version(100)));
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t" });
    expect((await failureFrom(coolify.health())).failure).toBe("rate_limited");
    expect(await coolify.version()).toBe("4.3.10");
  });
});

describe("near the limit", () => {
  test("requests are spread over the rest of the window, all calls together", async () => {
    let remaining = 22;
    await using place = serve(() => version(--remaining));
    const { slept, sleep } = instantSleep();
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", sleep });
    await coolify.version();
    await coolify.version();
    expect(slept).toEqual([]);
    await Promise.all([coolify.version(), coolify.version()]);
    // 20 left for about a minute: one in 60/21 s. The second of the two waits once more, after the first.
    expect(slept).toHaveLength(3);
    for (const ms of slept) expect(ms).toBeWithin(2000, 3500);
  });

  test("nobody waits while there is plenty", async () => {
    await using place = serve(() => version(150));
    const { slept, sleep } = instantSleep();
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", sleep });
    await Promise.all(Array.from({ length: 20 }, () => coolify.version()));
    expect(slept).toEqual([]);
  });

  test("a window that began anew ends the waiting", async () => {
    const left = [1, 199, 198];
    await using place = serve(() => version(left.shift() ?? 197));
    const { slept, sleep } = instantSleep();
    const coolify = createCoolifyClient({ baseUrl: place.url, token: "t", sleep });
    for (let call = 0; call < 3; call++) await coolify.version();
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeWithin(25_000, 30_001);
  });
});
