import { describe, expect, test } from "bun:test";
import { startGateway, temporaryFolder, until } from "../support/gateway.ts";
import { readEvents } from "../support/sse.ts";

const STOP_MS_MAX = 3000;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Processes below another, and those below them. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await Bun.file(`/proc/${pid}/task/${pid}/children`).text();
  const own = text.trim().split(" ").filter(Boolean).map(Number);
  return [...own, ...(await Promise.all(own.map(childrenOf))).flat()];
}

describe("a gateway that is told to end", () => {
  for (const [what, script] of [
    ["a turn runs", "say 1000 20"],
    ["a permission waits", "ask edit x"],
    ["its agent does not listen", "fork\ndeaf"],
  ] as const) {
    test(`ends within three seconds while ${what}, tells its readers and leaves no process`, async () => {
      await using gateway = await startGateway();
      const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
      const stream = await gateway.get(`/v1/sessions/${id}/events`);
      let begun = false;
      const told = readEvents(stream, ({ event }) => {
        begun ||= event === "prompt_started";
        return false;
      });
      const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/acp`, {
        headers: { authorization: "Bearer a-token-of-the-tests-1234" },
      });
      const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
      await new Promise((resolve) => socket.addEventListener("open", resolve));
      await gateway.post(`/v1/sessions/${id}/prompt`, { text: script });
      await until(() => begun);
      const children = await childrenOf(gateway.child.pid);
      expect(children.length).toBeGreaterThan(0);
      const asked = performance.now();
      gateway.child.kill("SIGTERM");
      const events = (await told).map(({ event }) => event);
      expect(await gateway.child.exited).toBe(0);
      expect(performance.now() - asked).toBeLessThan(STOP_MS_MAX);
      expect(events).toContain("prompt_started");
      expect(await closed).toBe(1001);
      await until(() => children.every((pid) => !isAlive(pid)));
    }, 15_000);
  }

  test("breaks off a stream until idle that has something left to wait for, and so nobody takes it for the end", async () => {
    await using gateway = await startGateway();
    const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
    const prompt = () => gateway.post(`/v1/sessions/${id}/prompt`, { text: "say 1000 20" });
    await prompt();
    await prompt();
    const follow = async (query: string) => (await gateway.get(`/v1/sessions/${id}/events${query}`)).text();
    const [promised, plain] = [follow("?until=idle"), follow("")];
    await until(async () => {
      const { clientsAttached } = (await (await gateway.get("/v1/activity")).json()) as { clientsAttached: number };
      return clientsAttached === 2;
    });
    gateway.child.kill("SIGTERM");
    expect(await plain).toContain("event: prompt_interrupted");
    expect(promised).rejects.toThrow();
    await promised.catch(() => undefined);
    await gateway.child.exited;
  }, 15_000);

  test("begins again with all it had said", async () => {
    await using folder = await temporaryFolder();
    let before: unknown[];
    let path: string;
    {
      await using first = await startGateway({}, { workspace: folder.path });
      const { id } = (await (await first.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
      await first.post(`/v1/sessions/${id}/prompt?wait=20`, { text: "say 50" });
      path = `/v1/sessions/${id}/events?until=idle`;
      before = await readEvents(await first.get(path));
    }
    await using second = await startGateway({}, { workspace: folder.path });
    const after = await readEvents(await second.get(path));
    expect(after.slice(0, before.length) as unknown[]).toEqual(before);
  });

  test("refuses a second one in the same folder, and says why", async () => {
    await using first = await startGateway();
    const stderr: string[] = [];
    const second = Bun.spawn([process.execPath, `${import.meta.dir}/../../src/index.ts`], {
      env: {
        AGENTPOD_GATEWAY_PORT: "0",
        AGENTPOD_GATEWAY_TOKEN: "a-token-of-the-tests-1234",
        AGENTPOD_WORKSPACE: first.workspace,
      },
      stderr: "pipe",
    });
    stderr.push(await second.stderr.text());
    expect(await second.exited).toBe(1);
    expect(stderr.join("").trim().split("\n")).toHaveLength(1);
    expect(stderr.join("")).toStartWith("acp-gateway: ");
  });
});
