import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "../support/gateway.ts";
import { alive, entry, HELLO, listener, script, scripted, testManager } from "./support.ts";

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
    const { sessionId } = await agent.request("session/new", { cwd: agents.folder, mcpServers: [] });
    const { heard, handlers } = listener(async () => ({ outcome: { outcome: "selected", optionId: "once" } }));
    agent.attach(String(sessionId), handlers);
    const done = await agent.request("session/prompt", {
      sessionId: String(sessionId),
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
    await expect(agents.start("scripted", "x", { LD_PRELOAD: "/x.so", PATH: "/x", TEST_OK: "1" })).rejects.toMatchObject({
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
    const hungry = agents.start("scripted").then((agent) => agent.request("session/prompt", {}));
    await expect(hungry).rejects.toMatchObject({ code: "agent_exited", message: expect.stringContaining("MiB of memory") });
    await hungry.catch(() => undefined);
  });

  test("a stdout that is not read for want of room stops the agent's writes and loses nothing", async () => {
    let free = Promise.withResolvers<void>();
    free.resolve();
    await using agents = await testManager({ room: () => free.promise });
    const agent = await agents.start("scripted");
    const { sessionId } = await agent.request("session/new", { cwd: agents.folder, mcpServers: [] });
    const { heard, handlers } = listener();
    agent.attach(String(sessionId), handlers);
    free = Promise.withResolvers<void>();
    const prompt = [{ type: "text", text: "flood 200000 250" }];
    const done = agent.request("session/prompt", { sessionId: String(sessionId), prompt });
    await until(() => heard.updates.length > 1);
    const seen = heard.updates.length;
    await Bun.sleep(300);
    expect(heard.updates.length).toBe(seen);
    free.resolve();
    await done;
    expect(heard.updates.filter(({ raw }) => raw.includes('"agent_message_chunk"'))).toHaveLength(200_000);
  });
});

describe("an agent that does not start", () => {
  test("a program that ends before it answers fails the start with its stderr", async () => {
    await using agents = await testManager({ entries: [sh("dies", "echo no config >&2; exit 7")] });
    await expect(agents.start("dies")).rejects.toMatchObject({
      code: "agent_exited",
      message: "dies ended with exit code 7; it said: no config",
    });
    await agents.start("dies").catch(() => undefined);
    expect(agents.manager.running()).toEqual([]);
  });

  test("one that never answers is killed after the start's time", async () => {
    await using agents = await testManager({
      entries: [sh("hangs", "echo $$ > pid; echo waiting for login >&2; sleep 600")],
      timing: { startMs: 200 },
    });
    await expect(agents.start("hangs")).rejects.toMatchObject({
      code: "agent_timeout",
      message: expect.stringContaining("it said: waiting for login"),
    });
    await agents.start("hangs").catch(() => undefined);
    const pid = await numberIn(join(agents.folder, "pid"));
    await until(() => !alive(pid));
  });

  test("one that speaks another version of the protocol is told apart and ended", async () => {
    await using agents = await testManager({ entries: [scripted("--protocol", "2")] });
    await expect(agents.start("scripted")).rejects.toMatchObject({
      code: "agent_protocol",
      message: expect.stringContaining("speaks version 2"),
    });
    await agents.start("scripted").catch(() => undefined);
    expect(agents.manager.running()).toEqual([]);
  });

  test("a missing program, one that cannot be run and a missing folder have clear errors", async () => {
    await using agents = await testManager({
      entries: [entry("none", ["no-such-program"]), entry("bad", ["bad-program"]), sh("fine", HELLO)],
    });
    await expect(agents.start("none")).rejects.toMatchObject({ code: "agent_not_installed" });
    const broken = await script(join(agents.folder, "bin/bad-program"), "");
    await Bun.write(broken, "#!/no/such/interpreter\n");
    await using other = await testManager({
      entries: [entry("bad", ["bad-program"])],
      environment: { PATH: join(agents.folder, "bin") },
    });
    await expect(other.start("bad")).rejects.toMatchObject({ code: "agent_exited" });
    const nowhere = agents.manager.start({ agentId: "fine", key: "k", cwd: "/no/such/folder", env: {} });
    await expect(nowhere).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringContaining("/no/such/folder"),
    });
    await nowhere.catch(() => undefined);
  });

  test("after five failures it is left alone for a while, then tried again", async () => {
    let time = 1_000_000;
    await using agents = await testManager({ entries: [sh("dies", "echo x >> starts; exit 1")], now: () => time });
    const code = () =>
      agents.start("dies").then(
        () => "started",
        (error: { code: string }) => error.code,
      );
    for (let count = 0; count < 5; count++) expect(await code()).toBe("agent_exited");
    await expect(agents.start("dies")).rejects.toMatchObject({
      code: "agent_unavailable",
      details: { retryAfterSeconds: 30 },
    });
    expect(await code()).toBe("agent_unavailable");
    expect((await Bun.file(join(agents.folder, "starts")).text()).trim().split("\n")).toHaveLength(5);
    time += 30_001;
    expect(await code()).toBe("agent_exited");
    expect(await code()).toBe("agent_unavailable");
    time += 120_000;
    expect(await code()).toBe("agent_exited");
    expect(await code()).toBe("agent_exited");
  });
});

describe("what a child is given", () => {
  test("the gateway's own variables never reach it; accepted ones do, and a withheld key does not", async () => {
    const quirks = {
      ...scripted().quirks,
      authenticate: { needs: "TEST_KEY", methodId: "key", meta: { k: "$TEST_KEY" }, withhold: true },
    };
    await using agents = await testManager({
      entries: [
        {
          ...sh("env", `env > env.txt; ${HELLO}; cat >/dev/null`),
          quirks,
          env: { OWN: "1" },
          acceptsEnv: ["TEST_*", "AGENTPOD_*"],
        },
      ],
      environment: {
        PATH: process.env["PATH"],
        AGENTPOD_GATEWAY_TOKEN: "token-1",
        AGENTPOD_PROJECT_ID: "p",
        GATEWAY_TOKEN: "token-2",
        OPENAI_API_KEY: "other-key",
        TEST_KEY: "the-key",
        TEST_FROM: "gateway",
        HTTPS_PROXY: "http://proxy:1",
      },
    });
    await (await agents.start("env", "k", { TEST_SESSION: "yes" })).stop();
    const given = await Bun.file(join(agents.folder, "env.txt")).text();
    for (const part of ["OWN=1", "TEST_SESSION=yes", "TEST_FROM=gateway", "HTTPS_PROXY=http://proxy:1"])
      expect(given).toContain(part);
    for (const part of ["AGENTPOD", "GATEWAY_TOKEN", "token-", "the-key", "other-key"])
      expect(given).not.toContain(part);
    expect(agents.manager.authentication("env", {})).toEqual({ methodId: "key", _meta: { k: "the-key" } });
    expect(agents.manager.authentication("env", { TEST_KEY: "mine" })).toEqual({
      methodId: "key",
      _meta: { k: "mine" },
    });
    await expect(agents.start("env", "l", { AGENTPOD_X: "1" })).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("a raw process hands over every line as it came, and can be paused", async () => {
    await using agents = await testManager({ entries: [sh("raw", "echo 'no json'; echo ' {} '; cat")] });
    const lines: string[] = [];
    const options = { agentId: "raw", key: "k", cwd: agents.folder, env: {} };
    const raw = await agents.manager.startRaw(options, { onLine: (line) => lines.push(line) });
    raw.write('{"é":1}');
    await until(() => lines.length === 3);
    expect(lines).toEqual(["no json", " {} ", '{"é":1}']);
    expect(agents.manager.running()).toHaveLength(1);
    expect(await raw.stop()).toMatchObject({ code: 0, asked: true });
  });
});
