import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createAttempts } from "./attempts.ts";
import type { Desktop } from "./desktop.ts";
import { createKasmDesktop } from "./kasm-desktop.ts";
import { readPages, type PageFiles } from "./pages.ts";
import { createPasswordCheck } from "./password.ts";
import { startServer } from "./server.ts";
import { createSessions } from "./sessions.ts";
import { createVncDesktop } from "./vnc-desktop.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "0.0.0.0" },
    port: { type: "string", default: "6080" },
    pages: { type: "string" },
    "password-file": { type: "string" },
    /** One of these two: a VNC server's unix socket, or KasmVNC's address with a file of its own password. */
    socket: { type: "string" },
    kasm: { type: "string" },
    "kasm-user": { type: "string", default: "developer" },
    "kasm-password-file": { type: "string" },
  },
});

function required(name: "pages" | "password-file" | "socket" | "kasm-password-file"): string {
  const value = values[name];
  if (!value) fail(`--${name} is missing`);
  return value;
}

function fail(problem: string): never {
  console.error(`gui-server: ${problem}`);
  process.exit(1);
}

function readSecret(path: string): string {
  const secret = readFileSync(path, "utf8").replace(/\n$/, "");
  return secret || fail(`${path} is empty; a desktop without a password is not served`);
}

function createDesktop(pages: PageFiles): Desktop {
  if (!values.kasm) return createVncDesktop({ socketPath: required("socket"), pages });
  const password = readSecret(required("kasm-password-file"));
  return createKasmDesktop({ origin: values.kasm, user: values["kasm-user"], password });
}

const pages = await readPages(required("pages"));
const server = startServer({
  hostname: values.host,
  port: Number(values.port),
  pages,
  desktop: createDesktop(pages),
  sessions: createSessions({ now: Date.now }),
  attempts: createAttempts({ now: Date.now }),
  isPassword: createPasswordCheck(readSecret(required("password-file"))),
});

function stop(): void {
  void server.stop(true);
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

const listening = { time: new Date().toISOString(), service: "gui", message: "listening", port: server.port };
console.log(JSON.stringify(listening));
