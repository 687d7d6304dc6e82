import { afterAll, expect, test } from "bun:test";
import { LegacyUsageReport } from "@agentpod/types";
import { call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";

const dataDir = newDataDir();
afterAll(() => removeDataDir(dataDir));

test("what was counted right before the end is there after the next start", async () => {
  const start = () => startApi({ dataDir, entry: "apps/api/tests/support/light-api.ts", env: { RUNTIME: "process" } });
  for (const round of [1, 2]) {
    const api = await start();
    const headers = { "user-agent": "curl/8.14.1" };
    expect((await call(api.url, "GET", "/api/container-tiers", undefined, headers)).status).toBe(200);
    expect(await api.end("SIGTERM")).toBe(0);
    const next = await start();
    const { body } = await call(next.url, "GET", "/api/container-tiers/usage");
    const counts = LegacyUsageReport.parse(body).usage.map(({ client, count }) => [client, count]);
    await next.end("SIGKILL");
    expect(counts).toEqual([["curl", round]]);
  }
}, 30_000);
