import type { Database } from "bun:sqlite";
import { resolve } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { createLogger } from "../../src/http/logger.ts";
import { createProcessRuntime } from "../../src/runtimes/process/index.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { createProjectServices } from "../../src/services/project-services.ts";
import { createReconciler } from "../../src/services/reconciler.ts";
import type { SandboxEnvironment } from "../../src/services/sandbox-environment.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";
import { newDataDir, removeDataDir } from "./api-process.ts";

/** Called before each step of a deploy or start; what it throws is what the step fails with. */
export type Fault = (step: string) => void;

/** The services around projects on a real process runtime, with light gateways and faults on demand. */
export async function createProjects(options: { fault?: Fault; sandboxEnv?: SandboxEnvironment } = {}) {
  const dataDir = newDataDir();
  const { sandboxEnv = {} } = options;
  const db: Database = openDatabase(`${dataDir}/agentpod.db`, { migrate: true });
  const logger = createLogger("silent");
  const real = await createProcessRuntime({
    dataDir,
    instanceId: crypto.randomUUID(),
    command: [process.execPath, resolve(import.meta.dir, "light-gateway.mjs")],
    baseEnv: { PATH: process.env["PATH"] ?? "" },
    healthTimeoutMs: 20_000,
    stopTimeoutMs: 3_000,
    cloneTimeoutMs: 5_000,
    logger,
  });
  const faulty = (steps: Runtime["steps"]["deploy"]) =>
    steps.map(({ name, run }) => ({
      name,
      run: async (...args: Parameters<typeof run>) => {
        options.fault?.(name);
        await run(...args);
      },
    }));
  const runtime: Runtime = {
    ...real,
    steps: { ...real.steps, deploy: faulty(real.steps.deploy), start: faulty(real.steps.start) },
  };
  const secretBox = createSecretBox(crypto.getRandomValues(new Uint8Array(32)));
  const { catalog, events, runner, projects, providers, reader } = createProjectServices({
    db,
    runtime,
    secretBox,
    sandboxEnv,
    logger,
    naming: { registryUrl: "localhost", registryOwner: "agentpod", imageVersion: "1.0.0", wildcardDomain: null },
    portRange: { from: 20_000, to: 32_767 },
    concurrency: 4,
    retry: { attemptsMax: 4, firstDelayMs: 2, delayMsMax: 10 },
    recordAgainMs: 20,
    sunsetAt: new Date("2099-01-01T00:00:00Z"),
    now: () => new Date(),
  });
  const reconciler = createReconciler({
    db,
    runtime,
    projects,
    logger,
    intervalMs: 20,
    retry: { firstDelayMs: 2, delayMsMax: 10 },
    now: () => new Date(),
  });
  return {
    catalog,
    db,
    dataDir,
    events,
    projects,
    providers,
    reader,
    runtime,
    runner,
    reconciler,
    /** The operation at its end. */
    end: async (operation: { id: string } | null) => {
      if (operation === null) throw new Error("no operation was begun");
      const ended = await runner.finished(operation.id, AbortSignal.timeout(30_000));
      if (ended === null) throw new Error("the operation is gone");
      return ended;
    },
    async close() {
      await reconciler.close();
      await runner.close();
      await runtime.close();
      closeDatabase(db);
      removeDataDir(dataDir);
    },
  };
}
