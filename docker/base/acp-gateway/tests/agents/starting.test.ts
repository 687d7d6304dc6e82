import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "../support/gateway.ts";
import { alive, entry, HELLO, script, scripted, testManager } from "./support.ts";

const sh = (id: string, body: string) => entry(id, ["sh", "-c", body]);
const numberIn = async (path: string) =>
  Number(
    await Bun.file(path)
      .text()
      .catch(() => "0"),
  );

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
