import { randomUUID } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { beforeAll, expect, test } from "bun:test";
import type { LogLine } from "@agentpod/types";
import type { LogOptions, Runtime, SandboxSpec } from "../../src/runtimes/runtime.ts";
import { dockerSandboxes, execIn, runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeWithEngine, describeUnless } from "../support/engine.ts";
import { imageRunning, requireSandboxImage } from "../support/sandbox-image.ts";
import { until } from "../support/wait.ts";

/** Says what it is told through a file, so that a test decides when. */
const TALKER = `
  echo first; echo wrong >&2; echo "token $AGENTPOD_GATEWAY_TOKEN key $TALKER_API_KEY by $HTTPS_PROXY"
  printf x; printf 'é%.0s' $(seq 20000); echo
  touch /tmp/say; tail --follow --lines=0 /tmp/say & wait
`;

describeWithEngine("the log of a sandbox on Docker", () => {
  const { docker, runtime: createRuntime, container, keep } = dockerSandboxes();
  let runtime: Runtime;
  let spec: SandboxSpec;

  const logs = (options: Partial<LogOptions>) =>
    runtime.logs(spec.projectId, { tail: 100, follow: false, signal: new AbortController().signal, ...options });
  const say = (text: string) => execIn(container(spec), ["bash", "-c", `echo '${text}' >> /tmp/say`]);
  const sockets = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
      } catch {
        return false;
      }
    }).length;

  beforeAll(async () => {
    await requireSandboxImage(docker);
    runtime = await createRuntime({ stopTimeoutSeconds: 1 });
    const name = `talker-${randomUUID().slice(0, 8)}`;
    spec = sandboxSpec({
      imageRef: keep(await imageRunning(docker, name, ["tini", "-g", "--", "bash", "-c", TALKER])),
      env: { TALKER_API_KEY: "sk-very-secret", HTTPS_PROXY: "http://me:secret@proxy.example:3128" },
    });
    await runSteps(
      runtime.steps.deploy.filter((step) => step.name !== "healthy"),
      spec,
    );
    await until("the talker is ready", async () => {
      const { exitCode } = await execIn(container(spec), ["test", "-e", "/tmp/say"]);
      return exitCode === 0 || undefined;
    });
  });

  test("has each line with its stream and time, a long one whole, the secrets blanked", async () => {
    const lines = await until("all lines are there", async () => {
      const read = await Array.fromAsync(logs({}));
      return read.length === 4 ? read : undefined;
    });
    const of = (stream: string) => lines.filter((line) => line.stream === stream).map(({ message }) => message);
    expect(of("stderr")).toEqual(["wrong"]);
    const [first, token, long] = of("stdout");
    expect([first, token]).toEqual(["first", "token [redacted] key [redacted] by [redacted]"]);
    expect(long).toBe(`x${"é".repeat(20_000)}`);
    for (const { timestamp } of lines) expect(Date.parse(timestamp ?? "")).toBeGreaterThan(Date.now() - 600_000);
  });

  test("gives as many lines from the end as asked for", async () => {
    await say("tail one");
    await say("tail two");
    const tail = async (count: number) => (await Array.fromAsync(logs({ tail: count }))).map(({ message }) => message);
    await until("the line was logged", async () => (await tail(1))[0] === "tail two" || undefined);
    expect(await tail(2)).toEqual(["tail one", "tail two"]);
    expect(await tail(0)).toEqual([]);
  });

  test("follows what is written until the reader has enough", async () => {
    const seen: string[] = [];
    void say("follow 0");
    // Whichever is first, the line or the reading.
    for await (const { message } of logs({ tail: 1, follow: true })) {
      if (!message.startsWith("follow ")) continue;
      seen.push(message);
      if (seen.length === 3) break;
      void say(`follow ${seen.length}`);
    }
    expect(seen).toEqual(["follow 0", "follow 1", "follow 2"]);
  });

  test("ends quietly when the signal aborts, also while nothing is written", async () => {
    const stop = new AbortController();
    const reading = Array.fromAsync(logs({ tail: 1, follow: true, signal: stop.signal }));
    setTimeout(() => stop.abort(), 200);
    expect(await reading).toHaveLength(1);
    expect(await Array.fromAsync(logs({ follow: true, signal: stop.signal }))).toEqual([]);
  });

  test("waits for a slow reader and loses nothing", async () => {
    await execIn(container(spec), ["bash", "-c", 'for i in $(seq 3000); do echo "slow $i"; done >> /tmp/say']);
    const seen: string[] = [];
    for await (const { message } of logs({ tail: 100_000, follow: true })) {
      if (!message.startsWith("slow ")) continue;
      seen.push(message);
      if (seen.length % 500 === 0) await Bun.sleep(20);
      if (seen.length === 3000) break;
    }
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, index) => `slow ${index + 1}`));
  });

  describeUnless(process.platform === "linux" ? undefined : "open sockets are counted in /proc", "its sockets", () => {
    test("are closed however the reading ends", async () => {
      await Array.fromAsync(logs({}));
      const before = sockets();
      for (let round = 0; round < 10; round += 1) {
        for await (const _ of logs({ tail: 1, follow: true })) break;
        const stop = new AbortController();
        const reading = Array.fromAsync(logs({ tail: 1, follow: true, signal: stop.signal }));
        stop.abort();
        await reading;
      }
      await until("the sockets are closed", () => sockets() <= before || undefined);
    });
  });

  test("ends when the runtime is closed", async () => {
    const closing = await createRuntime();
    const lines: LogLine[] = [];
    const signal = new AbortController().signal;
    for await (const line of closing.logs(spec.projectId, { tail: 1, follow: true, signal })) {
      lines.push(line);
      await closing.close();
    }
    expect(lines).toHaveLength(1);
  });

  test("ends with the sandbox", async () => {
    const reading = Array.fromAsync(logs({ tail: 1, follow: true }));
    await runSteps(runtime.steps.stop, spec);
    expect((await reading).length).toBeGreaterThan(0);
    expect((await Array.fromAsync(logs({ tail: 5, follow: true }))).length).toBe(5);
  });
});
