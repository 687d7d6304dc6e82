import { describe, expect, test } from "bun:test";
import { startGateway } from "../support/gateway.ts";

const STOP_MS_MAX = 1000;

describe("the gateway's life", () => {
  test("it says in one JSON line that it listens", async () => {
    await using gateway = await startGateway({ AGENTPOD_PROJECT_ID: "p-2" });
    expect(gateway.listening).toMatchObject({
      service: "acp-gateway",
      message: "listening",
      host: "127.0.0.1",
      projectId: "p-2",
      workspace: gateway.workspace,
    });
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} ends it with 0 within a second, also while a client holds a connection`, async () => {
      await using gateway = await startGateway();
      await fetch(`${gateway.url}/health`, { keepalive: true });
      const asked = performance.now();
      gateway.child.kill(signal);
      expect(await gateway.child.exited).toBe(0);
      expect(performance.now() - asked).toBeLessThan(STOP_MS_MAX);
    });
  }
});
