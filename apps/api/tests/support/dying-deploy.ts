/** Deploys and is killed, as `kill -9` would, at the point it is told. Its argument: a `DyingDeploy` as JSON. */
import { pino } from "pino";
import { createProcessRuntime } from "../../src/runtimes/process/index.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import { systemTable } from "./process-world.ts";

export type DyingPoint =
  | "after workspace"
  | "before the spawn"
  | "after the spawn"
  | "after start"
  | "after healthy"
  | "never by itself";

export interface DyingDeploy {
  dataDir: string;
  instanceId: string;
  command: readonly string[];
  spec: SandboxSpec;
  point: DyingPoint;
}

const { dataDir, instanceId, command, spec, point }: DyingDeploy = JSON.parse(process.argv[2] ?? "");
const dieAt = (here: DyingPoint) => {
  if (here === point) process.kill(process.pid, "SIGKILL");
};

const table = systemTable();
let isSpawning = false;
const runtime = await createProcessRuntime({
  dataDir,
  instanceId,
  command,
  baseEnv: { PATH: process.env["PATH"] ?? "" },
  healthTimeoutMs: 20_000,
  stopTimeoutMs: 5_000,
  cloneTimeoutMs: 20_000,
  logger: pino({ level: "silent" }),
  sourceHostRules: { resolveHost: async () => ["127.0.0.1"], isBlocked: () => false },
  processTable: {
    ...table,
    // The first thing that is asked about a new child, before anything is written down.
    identify: (pid) => {
      if (isSpawning) dieAt("after the spawn");
      return table.identify(pid);
    },
  },
});

for (const step of runtime.steps.deploy) {
  await step.run(spec, {
    signal: new AbortController().signal,
    report: (type) => {
      if (type !== "starting") return;
      dieAt("before the spawn");
      isSpawning = true;
    },
  });
  for (const here of ["after workspace", "after start", "after healthy"] as const) {
    if (here === `after ${step.name}`) dieAt(here);
  }
}
process.exit(1);
