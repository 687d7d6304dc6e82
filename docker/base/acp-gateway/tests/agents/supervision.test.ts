import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "../support/gateway.ts";
import { alive, entry, HELLO, listener, newSession, scripted, testManager } from "./support.ts";

const sh = (id: string, body: string) => entry(id, ["sh", "-c", body]);
const numberIn = async (path: string) =>
  Number(
    await Bun.file(path)
      .text()
      .catch(() => "0"),
  );

describe("an agent's life", () => {
  test("a session is made, updates and permission requests arrive, and the end is clean", async () => {
    await using agents = await testManager();
    const agent = await agents.start("scripted");
    expect(agent.initialized["agentInfo"]).toEqual({ name: "scripted", version: "1.0.0" });
    const sessionId = await newSession(agent, agents.folder);
    const { heard, handlers } = listener(async () => ({ outcome: { outcome: "selected", optionId: "once" } }));
    agent.attach(sessionId, handlers);
    const done = await agent.request("session/prompt", {
      sessionId,
      prompt: [{ type: "text", text: "text hello\nask edit a.txt\nflood 5000 250" }],
    });
    expect(done["stopReason"]).toBe("end_turn");
    expect(heard.requests.map(({ method }) => method)).toEqual(["session/request_permission"]);
    expect(heard.updates.length).toBeGreaterThan(5000);
    expect(agents.manager.running()).toMatchObject([{ agentId: "scripted", pid: agent.pid }]);
    expect(agents.manager.running()[0]?.rssBytes).toBeGreaterThan(1024 * 1024);
    expect(await agent.stop()).toMatchObject({ code: 0, signal: null, asked: true });
    expect(agents.manager.running()).toEqual([]);
    expect(agents.manager.counters()).toMatchObject({ processesStarted: 1, crashes: 0, noiseLines: 0 });
  });

  test("one key has one process, however many ask at once, and a new one after its end", async () => {
    await using agents = await testManager();
    const handles = await Promise.all([1, 2, 3].map(() => agents.start("scripted", "k")));
    expect(new Set(handles.map(({ pid }) => pid)).size).toBe(1);
    const other = await agents.start("scripted", "l");
    expect(other.pid).not.toBe(handles[0]?.pid);
    await handles[0]?.stop();
    expect((await agents.start("scripted", "k")).pid).not.toBe(handles[0]?.pid);
  });

  test("a shared process is one for the same folder and environment, and ends with its last session", async () => {
    await using agents = await testManager({ entries: [{ ...scripted(), process: "shared" }] });
    const [a, b] = await Promise.all([agents.start("scripted", "a"), agents.start("scripted", "b")]);
    const other = await agents.start("scripted", "c", { TEST_X: "1" });
    expect(b.pid).toBe(a.pid);
    expect(other.pid).not.toBe(a.pid);
    await a.stop();
    expect((await b.request("session/new", { cwd: agents.folder, mcpServers: [] }))["sessionId"]).toBeString();
    await b.stop();
    await until(() => !alive(a.pid));
    expect(alive(other.pid)).toBe(true);
  });

  test("no more processes start than allowed, and none with a variable that is not accepted", async () => {
    await using agents = await testManager({ limits: { processes: 1, lineBytes: 1000 } });
    await agents.start("scripted");
    await expect(agents.start("scripted")).rejects.toMatchObject({ code: "too_many_processes" });
    await expect(
      agents.start("scripted", "x", { LD_PRELOAD: "/x.so", PATH: "/x", TEST_OK: "1" }),
    ).rejects.toMatchObject({
      code: "invalid_request",
      details: { errors: [{ path: "/env/LD_PRELOAD" }, { path: "/env/PATH" }] },
    });
    await expect(agents.start("nobody")).rejects.toMatchObject({ code: "agent_not_found" });
  });

  test("after close nothing runs and nothing starts", async () => {
    await using agents = await testManager();
    const agent = await agents.start("scripted");
    await agents.manager.close();
    expect(alive(agent.pid)).toBe(false);
    await expect(agents.start("scripted")).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("an agent's end", () => {
  test("killed -9 it fails what waits within a second, with its last words and no secret in them", async () => {
    const body = `${HELLO}; echo "my key is $TEST_KEY" >&2; sleep 600 & echo $! > child; read line; wait`;
    await using agents = await testManager({ entries: [sh("noisy", body)] });
    const agent = await agents.start("noisy", "k", { TEST_KEY: "sk-very-secret" });
    const waiting = [1, 2].map(() => agent.request("session/prompt", {}).catch((error: unknown) => error));
    await until(async () => (await numberIn(join(agents.folder, "child"))) > 0);
    const killedAt = performance.now();
    process.kill(agent.pid, "SIGKILL");
    const errors = await Promise.all(waiting);
    expect(performance.now() - killedAt).toBeLessThan(1000);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "agent_exited" });
      expect(String(error)).toContain("by SIGKILL; it said: my key is [secret]");
    }
    expect(await agent.exited).toMatchObject({
      code: null,
      signal: "SIGKILL",
      asked: false,
      stderrTail: "my key is [secret]\n",
    });
    const child = await numberIn(join(agents.folder, "child"));
    await until(() => !alive(child));
    expect(JSON.stringify(agents.logged)).not.toContain("very-secret");
    expect(agents.manager.counters()).toMatchObject({ crashes: 1 });
  });

  test("a wrapper's end is the end, though its child goes on writing and would still answer", async () => {
    const child = `${HELLO}; while :; do echo noise; sleep 0.01; done`;
    await using agents = await testManager({ entries: [sh("wrapper", `(trap "" TERM; ${child}) <&0 & wait`)] });
    const agent = await agents.start("wrapper");
    const waiting = agent.request("session/prompt", {}).catch((error: unknown) => error);
    const killedAt = performance.now();
    process.kill(agent.pid, "SIGKILL");
    expect(await waiting).toMatchObject({ code: "agent_exited" });
    expect(performance.now() - killedAt).toBeLessThan(1000);
    expect(await agent.exited).toMatchObject({ signal: "SIGKILL", asked: false });
  });

  test("what it wrote just before its end still arrives", async () => {
    const last = '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s"}}';
    await using agents = await testManager({ entries: [sh("brief", `${HELLO}; read line; echo '${last}'; exit 3`)] });
    const agent = await agents.start("brief");
    expect(await agent.request("session/new", {})).toEqual({ sessionId: "s" });
    expect(await agent.exited).toMatchObject({ code: 3, asked: false });
    await expect(agent.request("session/new", {})).rejects.toMatchObject({ code: "agent_exited" });
  });

  test("a grandchild that ignores SIGTERM ends with the agent, whether it was stopped or left by itself", async () => {
    const sleeper = `sh -c 'trap "" TERM; echo $$ > sleeper; while :; do sleep 1; done' & `;
    await using agents = await testManager({
      entries: [
        sh("stays", `${sleeper} ${HELLO}; cat > /dev/null`),
        sh("leaves", `${sleeper} ${HELLO}; read line; exit 0`),
      ],
    });
    for (const id of ["stays", "leaves"]) {
      const agent = await agents.start(id);
      const file = join(agents.folder, "sleeper");
      await until(async () => (await numberIn(file)) > 0);
      const sleeping = await numberIn(file);
      if (id === "stays") await agent.stop();
      else agent.notify("x", {});
      await agent.exited;
      await until(() => !alive(sleeping));
      await Bun.write(file, "");
    }
  });

  test("an agent that ignores EOF and SIGTERM is killed", async () => {
    await using agents = await testManager({
      entries: [sh("stubborn", `trap "" TERM; ${HELLO}; while :; do sleep 0.1; done`)],
    });
    const agent = await agents.start("stubborn");
    expect(await agent.stop()).toMatchObject({ signal: "SIGKILL", asked: true });
  });

  test("a line beyond the limit ends the agent and says so", async () => {
    const body = `${HELLO}; read line; head -c 40000000 /dev/zero | tr '\\0' x; cat > /dev/null`;
    await using agents = await testManager({
      entries: [sh("long", body)],
      limits: { processes: 8, lineBytes: 32 * 1024 * 1024 },
    });
    const agent = await agents.start("long");
    const before = process.memoryUsage.rss();
    await expect(agent.request("session/new", {})).rejects.toMatchObject({
      code: "agent_protocol",
      message: expect.stringContaining("line of more than 33554432 bytes"),
    });
    await agent.exited;
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });

  test("an agent that does not read is ended when too much waits for it", async () => {
    await using agents = await testManager({
      entries: [sh("deaf", `${HELLO}; sleep 600`)],
      limits: { processes: 8, lineBytes: 1000, stdinBytes: 1024 * 1024 },
    });
    const agent = await agents.start("deaf");
    const waiting = agent.request("session/new", {}).catch((error: unknown) => error);
    for (let count = 0; count < 20; count++) agent.notify("x", { text: "y".repeat(100_000) });
    expect(await waiting).toMatchObject({ code: "agent_timeout", message: expect.stringContaining("did not read") });
  });

  test("an agent that closes its stdout is ended", async () => {
    await using agents = await testManager({ entries: [sh("mute", `${HELLO}; exec >&-; sleep 600`)] });
    const agent = await agents.start("mute");
    await expect(agent.request("session/new", {})).rejects.toMatchObject({ code: "agent_exited" });
    await agent.exited;
  });

  test("an agent that uses too much memory is ended and the reason told", async () => {
    await using agents = await testManager({ memoryBytesMax: 20 * 1024 * 1024, timing: { memoryLookMs: 20 } });
    const hungry = agents.start("scripted").then(async (agent) => {
      const { sessionId } = await agent.request("session/new", { cwd: "/", mcpServers: [] });
      return agent.request("session/prompt", {
        sessionId: sessionId ?? null,
        prompt: [{ type: "text", text: "hang" }],
      });
    });
    await expect(hungry).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringContaining("MiB of memory"),
    });
    await hungry.catch(() => undefined);
  });

  test("a stdout that is not read for want of room stops the agent's writes and loses nothing", async () => {
    let free = Promise.withResolvers<void>();
    free.resolve();
    await using agents = await testManager({ room: () => free.promise });
    const agent = await agents.start("scripted");
    const sessionId = await newSession(agent, agents.folder);
    const { heard, handlers } = listener();
    agent.attach(sessionId, handlers);
    free = Promise.withResolvers<void>();
    const prompt = [{ type: "text", text: "flood 200000 250" }];
    const done = agent.request("session/prompt", { sessionId, prompt });
    await until(() => heard.updates.length > 1);
    const seen = heard.updates.length;
    await Bun.sleep(300);
    expect(heard.updates.length).toBe(seen);
    free.resolve();
    await done;
    expect(heard.updates.filter(({ raw }) => raw.includes('"agent_message_chunk"'))).toHaveLength(200_000);
  });
});
