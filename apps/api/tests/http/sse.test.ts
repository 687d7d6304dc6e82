import { describe, expect, test } from "bun:test";
import { sseResponse, textResponse } from "../../src/http/sse.ts";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { createTestApp } from "../support/app.ts";
import { until } from "../support/wait.ts";

/** Lines without end, and how many read them now and ever. */
function endlessLines() {
  const seen = { begun: 0, open: 0 };
  async function* lines(signal: AbortSignal): AsyncGenerator<string> {
    seen.begun += 1;
    seen.open += 1;
    try {
      yield "first";
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    } finally {
      seen.open -= 1;
    }
  }
  return { seen, lines };
}

const makers = {
  text: (lines: (signal: AbortSignal) => AsyncIterable<string>) => textResponse(lines),
  events: (lines: (signal: AbortSignal) => AsyncIterable<string>) =>
    sseResponse(async function* (signal) {
      for await (const data of lines(signal)) yield { data };
    }),
};

describe.each(["text", "events"] as const)("a stream of %s", (kind) => {
  test("begins when its body is read and ends when its reader goes", async () => {
    const { seen, lines } = endlessLines();
    const { body } = makers[kind](lines);
    await Bun.sleep(0);
    expect(seen).toEqual({ begun: 0, open: 0 });
    const reader = body?.getReader();
    let text = "";
    while (!text.includes("first")) text += new TextDecoder().decode((await reader?.read())?.value);
    // A further read waits for what never comes.
    const last = reader?.read();
    expect(seen.open).toBe(1);
    await reader?.cancel();
    await last;
    await until("the reader is gone", () => (seen.open === 0 ? true : undefined), 2_000);
  });
});

describe("a quiet stream of events", () => {
  test("is kept alive by comments, of which no more than one waits for a slow reader", async () => {
    const response = sseResponse(
      async function* (signal) {
        yield { data: "only" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
      { heartbeatMs: 10 },
    );
    const reader = response.body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    let text = "";
    while (text.split("heartbeat").length < 4) text += await read();
    expect(text).toStartWith('retry: 3000\n: ok\n\ndata: "only"\n\n: heartbeat\n\n');
    // Long enough for ten beats, of which one is kept.
    await Bun.sleep(100);
    const queued = reader?.read();
    const later = reader?.read().then(() => "later");
    expect(new TextDecoder().decode((await queued)?.value)).toBe(": heartbeat\n\n");
    // What is queued comes without a timer's turn, in which another beat might be due.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(await Promise.race([later, Promise.resolve("not there yet")])).toBe("not there yet");
    await reader?.cancel();
  });
});

describe("a quiet stream of text", () => {
  /** Asks a server for the lines; `onHeaders` is called when the answer's headers are there. */
  async function textOf(lines: () => AsyncIterable<string>, blankAfterMs: number, onHeaders?: () => void) {
    const fetchLines = () => textResponse(lines, { blankAfterMs });
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: fetchLines });
    try {
      const answer = await fetch(server.url);
      onHeaders?.();
      return await answer.text();
    } finally {
      await server.stop(true);
    }
  }

  test("begins with an empty line, so that its reader has the headers", async () => {
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    async function* afterHeaders() {
      await answered;
      yield "at last";
    }
    expect(await textOf(afterHeaders, 1, resolve)).toBe("\nat last\n");
  });

  test("has no empty line when a line or the end comes in time", async () => {
    async function* linesAtOnce() {
      yield* ["at once", "and later"];
    }
    async function* noLines() {}
    expect(await textOf(linesAtOnce, 60_000)).toBe("at once\nand later\n");
    expect(await textOf(noLines, 60_000)).toBe("");
  });
});

describe("the log of a sandbox that is removed while it is read", () => {
  test("ends there", async () => {
    const api = createTestApp();
    try {
      const { body } = await api.call("POST", "/api/projects", { name: "Gone" }, { prefer: "wait=5" });
      api.runtime.logs = async function* () {
        yield { stream: "stdout", timestamp: null, message: "last words" };
        throw new RuntimeError("not_found", "the project has no sandbox now");
      };
      const path = `/api/projects/${body.project.id}/logs`;
      const { status, body: log } = await api.call("GET", path);
      expect([status, log.lines.length]).toEqual([200, 1]);
      const followed = await api.app.request(`${path}?follow=true`);
      expect(await followed.text()).toBe("last words\n");
    } finally {
      await api.close();
    }
  });
});

describe("HEAD of a stream", () => {
  test("has GET's headers, and leaves no reader", async () => {
    const api = createTestApp();
    const { seen, lines } = endlessLines();
    api.runtime.logs = async function* (_projectId, { signal }) {
      for await (const message of lines(signal ?? AbortSignal.abort()))
        yield { stream: "stdout", timestamp: null, message };
    };
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: api.app.fetch });
    try {
      const { body } = await api.call("POST", "/api/projects", { name: "Talkative" }, { prefer: "wait=5" });
      const project = `${server.url.origin}/api/projects/${body.project.id}`;
      for (const [url, accept] of [
        [`${project}/logs?follow=true`, "text/plain"],
        [`${project}/logs?follow=true`, "text/event-stream"],
        [`${project}/events`, "text/event-stream"],
        [`${server.url.origin}/api/events`, "text/event-stream"],
      ] as const) {
        const head = await fetch(url, { method: "HEAD", headers: { accept } });
        expect([url, head.status]).toEqual([url, 200]);
        expect(head.headers.get("content-type")).toStartWith(accept);
        expect(await head.text()).toBe("");
      }
      expect(seen.begun).toBe(0);

      const gone = new AbortController();
      const followed = await fetch(`${project}/logs?follow=true`, { signal: gone.signal });
      await followed.body?.getReader().read();
      expect(seen).toEqual({ begun: 1, open: 1 });
      gone.abort();
      await until("the reader is gone", () => (seen.open === 0 ? true : undefined), 5_000);
    } finally {
      await server.stop(true);
      await api.close();
    }
  });
});
