import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SandboxRef, Step } from "../../src/runtimes/runtime.ts";
import { createTestApp } from "./app.ts";

// The API in a process of its own, on a real database, with sandboxes that are entries of a map: what a
// load costs is then the API's own. STEP_MS is how long each stage of a deploy or start takes.
const dataDir = process.env["DATA_DIR"] ?? "";
const stepMs = Number(process.env["STEP_MS"] ?? 0);
mkdirSync(dataDir, { recursive: true });
const api = createTestApp({
  databasePath: join(dataDir, "agentpod.db"),
  write: (line) => void process.stdout.write(line),
});

const stages = (["pulling", "created", "starting", "healthy"] as const).map((stage): Step<SandboxRef> => ({
  name: stage,
  run: async (_, { report }) => {
    report(stage, { after: `${stepMs} ms` });
    await Bun.sleep(stepMs);
  },
}));
const { deploy, start } = api.runtime.steps;
Object.assign(api.runtime.steps, { deploy: [...stages, ...deploy], start: [...stages, ...start] });

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 120,
  maxRequestBodySize: 1024 ** 3,
  fetch: api.app.fetch,
  websocket: api.app.websocket,
});
process.on("SIGTERM", () => {
  void server
    .stop(true)
    .then(() => api.close())
    .then(() => process.exit(0));
});
process.stdout.write(`${JSON.stringify({ msg: "listening", url: server.url.origin })}\n`);
