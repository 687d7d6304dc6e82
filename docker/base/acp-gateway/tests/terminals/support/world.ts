import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileHandler } from "../../../src/file-handler.ts";
import { createTerminalSurface } from "../../../src/routes/terminals.ts";
import { createTerminalManager } from "../../../src/terminals/terminal-manager.ts";
import { type Terminal, type TerminalNotice, terminal, terminalNotice } from "../../../src/wire/index.ts";
import { entry, testManager } from "../../agents/support.ts";
import { until } from "../../support/gateway.ts";
import { serveSurface } from "../../support/surface.ts";

type Options = { terminals?: number; scrollbackBytes?: number; stallMs?: number; environment?: Record<string, string> };

/** Terminals over HTTP in a workspace of their own, with one agent that logs in by a terminal. */
export async function openTerminals({ terminals: limit = 4, environment = {}, ...options }: Options = {}) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "gateway-terminals-")));
  const workspace = join(folder, "workspace");
  await mkdir(join(workspace, "inner"), { recursive: true });
  const agents = await testManager({
    entries: [entry("login", [join(import.meta.dir, "login-agent.sh")]), entry("gone", ["no-such-program"])],
  });
  const files = createFileHandler({ roots: [workspace], protectedFolders: [], limits: { fileBytes: 1024 } });
  const manager = createTerminalManager({
    environment: { PATH: process.env["PATH"], HOME: folder, SHELL: "/bin/bash", ...environment },
    files,
    agents: agents.manager,
    limits: { terminals: limit },
    now: Date.now,
    ...options,
  });
  const served = serveSurface(createTerminalSurface({ terminals: manager }));
  const url = `${served.url}/v1/terminals`;

  return {
    manager,
    workspace,
    folder,
    port: served.port,
    call: (path: string, init: RequestInit = {}) => fetch(url + path, init),
    post: (body: unknown) =>
      fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    async open(body: unknown): Promise<Terminal> {
      const answer = await this.post(body);
      if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
      return terminal.parse(await answer.json());
    },
    view: (id: string, query = "") => openViewer(served.port, id, query),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      files.close();
      await agents[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A viewer that reads everything at once. */
export async function openViewer(port: number, id: string, query = "") {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/terminals/${id}/ws${query}`);
  socket.binaryType = "arraybuffer";
  const decoder = new TextDecoder();
  const notices: TerminalNotice[] = [];
  const seen = { text: "", bytes: 0 };
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data === "string") notices.push(terminalNotice.parse(JSON.parse(data)));
    else {
      seen.bytes += data.byteLength;
      seen.text += decoder.decode(data, { stream: true });
    }
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
  });
  await Promise.race([until(() => notices.length > 0), closed]);
  return {
    seen,
    notices,
    closed,
    type: (text: string) => socket.send(new TextEncoder().encode(text)),
    control: (value: unknown) => socket.send(JSON.stringify(value)),
    close: () => socket.close(),
    async shows(text: string): Promise<void> {
      const deadline = Date.now() + 15_000;
      while (!seen.text.includes(text)) {
        if (Date.now() > deadline)
          throw new Error(`${JSON.stringify(text)} did not come in ${JSON.stringify(seen.text.slice(-2000))}`);
        await Bun.sleep(10);
      }
    },
  };
}

/** A viewer whose socket is open and that reads nothing until `read`, which gives all bytes it is sent from then on. */
export async function openStalledViewer(port: number, id: string) {
  const socket = connect(port, "127.0.0.1");
  const head = [
    `GET /v1/terminals/${id}/ws HTTP/1.1`,
    "Host: x",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.pause();
  let bytes = 0;
  let text = "";
  return {
    read(): void {
      socket.on("data", (data: Buffer) => {
        bytes += data.length;
        text += data.toString("latin1");
      });
      socket.resume();
    },
    bytes: () => bytes,
    text: () => text,
    closed: new Promise<void>((resolve) => socket.once("close", () => resolve())),
    end: () => socket.destroy(),
  };
}
