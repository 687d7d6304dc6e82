import { afterAll, describe, expect, test } from "bun:test";
import { callEngine } from "../../src/runtimes/docker/call-engine.ts";
import { connectDocker } from "../../src/runtimes/docker/connect.ts";
import { createFrameReader } from "../../src/runtimes/docker/log-frames.ts";
import { createLineJoiner } from "../../src/runtimes/docker/log-lines.ts";
import { createPullProgress, type PullMessage } from "../../src/runtimes/docker/pull-progress.ts";
import { redact, secretsOf } from "../../src/runtimes/redact.ts";
import { RuntimeError } from "../../src/runtimes/runtime.ts";

const SECRET = "sk-secret-of-the-project";

describe("what an engine answers", () => {
  let answer = () => new Response();
  const engine = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => answer() });
  const docker = connectDocker(`tcp://127.0.0.1:${engine.port}`);
  afterAll(() => engine.stop(true));

  const inspect = (options: Parameters<typeof callEngine>[2] = {}) =>
    callEngine("looking", (abortSignal) => docker.getContainer("x").inspect({ abortSignal }), options).catch(
      (error: unknown) => error,
    );

  test.each([
    [400, "rejected"],
    [404, "not_found"],
    [409, "rejected"],
    [500, "rejected"],
    [503, "unavailable"],
  ])("status %d is %s, with its words but not the secrets in them", async (status, failure) => {
    answer = () => Response.json({ message: `no: KEY=${SECRET} at https://me:pw@host/x` }, { status });
    const error = await inspect({ secrets: [SECRET] });
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error).toMatchObject({ failure, message: "looking: no: KEY=[redacted] at https://[redacted]@host/x" });
    expect(Bun.inspect(error)).not.toContain(SECRET);
  });

  test("a status the caller expects is an answer", async () => {
    answer = () => Response.json({ message: "no such container" }, { status: 404 });
    expect(await inspect({ otherwise: { 404: null } })).toBeNull();
  });

  test("nothing in time, or an abort, is a timeout", async () => {
    const pending = Promise.withResolvers<Response>();
    engine.reload({ fetch: () => pending.promise });
    expect(await inspect({ timeoutMs: 50 })).toMatchObject({
      failure: "timeout",
      message: expect.stringContaining("50 ms"),
    });
    const stop = new AbortController();
    const asking = inspect({ signal: stop.signal });
    stop.abort();
    expect(await asking).toMatchObject({ failure: "timeout", message: "looking: broken off" });
    expect(await inspect({ signal: stop.signal })).toMatchObject({ failure: "timeout" });
    pending.resolve(new Response());
  });

  test("a mistake of this program stays what it is", async () => {
    const mistake = new TypeError("undefined is not a function");
    await expect(callEngine("looking", () => Promise.reject(mistake))).rejects.toBe(mistake);
  });
});

describe("blanking secrets", () => {
  test("leaves none, also where one is part of another", () => {
    const secrets = secretsOf({ gatewayToken: "token-1234", env: { A: "token-1234-long", FLAG: "1", EMPTY: "" } });
    expect(redact("1 token-1234-long token-1234 1", secrets)).toBe("1 [redacted] [redacted] 1");
  });

  test("leaves none as JSON writes them either", () => {
    const secret = 'key "quoted" \\ 1';
    expect(redact(`Env: ${JSON.stringify([`A=${secret}`])}, ${secret}`, [secret])).toBe(
      'Env: ["A=[redacted]"], [redacted]',
    );
  });
});

describe("the figures of a pull", () => {
  const figures = (messages: PullMessage[]) => {
    const progress = createPullProgress();
    for (const message of messages) progress.take(message);
    return progress.sum();
  };
  const downloading = (id: string, current: number, total: number) => ({
    status: "Downloading",
    id,
    progressDetail: { current, total },
  });

  test("add layers up, whether they came, come, or were there", () => {
    const messages = [
      { status: "Pulling from library/x", id: "latest" },
      { status: "Pulling fs layer", id: "a" },
      { status: "Pulling fs layer", id: "b" },
      { status: "Already exists", id: "c" },
      { status: "Waiting", id: "b" },
      downloading("a", 10, 100),
      downloading("a", 60, 100),
      downloading("b", 1, 50),
      { status: "Digest: sha256:1" },
    ];
    expect(figures(messages)).toEqual({ currentBytes: 61, totalBytes: 150, layersDone: 1, layersTotal: 3 });
  });

  test("are complete once a layer is, and unpacking it takes nothing away", () => {
    const messages = [
      downloading("a", 10, 100),
      { status: "Download complete", id: "a" },
      { status: "Extracting", id: "a", progressDetail: { current: 1, total: 100 } },
      downloading("a", 5, 100),
      { status: "Pull complete", id: "a" },
    ];
    expect(figures(messages)).toEqual({ currentBytes: 100, totalBytes: 100, layersDone: 1, layersTotal: 1 });
  });

  test("never claim more than there is", () => {
    expect(figures([downloading("a", 120, 100)]).currentBytes).toBe(100);
    expect(figures([{ status: "Downloading", id: "a" }])).toMatchObject({ currentBytes: 0, totalBytes: 0 });
  });
});

describe("the frames of a log", () => {
  const frame = (stream: number, text: string) => {
    const payload = Buffer.from(text);
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(payload.length, 4);
    return Buffer.concat([header, payload]);
  };
  const time = "2026-01-02T03:04:05.678901234Z";
  const log = Buffer.concat([
    frame(1, `${time} héllo `),
    frame(2, `${time} oops\n`),
    frame(1, `${time} wörld\n`),
    frame(1, "without a time\n"),
    frame(1, `${time} \n`),
    frame(2, `${time} not finished`),
  ]);
  const lines = [
    { stream: "stderr", timestamp: time, message: "oops" },
    { stream: "stdout", timestamp: time, message: "héllo wörld" },
    { stream: "stdout", timestamp: null, message: "without a time" },
    { stream: "stdout", timestamp: time, message: "" },
    { stream: "stderr", timestamp: time, message: "not finished" },
  ];

  test.each([1, 2, 7, 9, 64, 100_000])("become the same lines when they come in pieces of %d bytes", (size) => {
    const read = createFrameReader();
    const join = createLineJoiner();
    const got = [];
    for (let at = 0; at < log.length; at += size) {
      for (const part of read(log.subarray(at, at + size))) got.push(...join.take(part));
    }
    got.push(...join.end());
    expect(got).toMatchObject(lines);
    expect(got).toHaveLength(lines.length);
  });

  test("do not let an endless line grow without bound", () => {
    const join = createLineJoiner();
    const piece = { stream: "stdout" as const, payload: Buffer.alloc(16_384, "x") };
    const got = Array.from({ length: 64 }, () => [...join.take(piece)]).flat();
    expect(got.length).toBeGreaterThan(1);
    expect(got.every(({ message }) => message.length <= 300_000)).toBe(true);
  });
});
