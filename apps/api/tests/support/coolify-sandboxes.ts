import { randomBytes } from "node:crypto";
import { afterEach } from "bun:test";
import { createCoolifyClient, type CoolifyOptions } from "@agentpod/coolify";
import {
  startCoolifyFake,
  type ApplicationSnapshot,
  type CoolifyFake,
  type CoolifyFakeOptions,
} from "@agentpod/coolify-fake";
import { createCoolifyRuntime, type CoolifyRuntimeOptions } from "../../src/runtimes/coolify/index.ts";
import {
  RuntimeError,
  type Runtime,
  type SandboxSpec,
  type Step,
  type StepContext,
} from "../../src/runtimes/runtime.ts";

export interface SeenEvent {
  type: string;
  data: Record<string, unknown>;
}

export interface CoolifyWorld {
  fake: CoolifyFake;
  runtime: Runtime;
  options: CoolifyRuntimeOptions;
  /** The database's column: which application a project has. */
  recorded: Map<string, string | null>;
  events: SeenEvent[];
  /** All that was logged, reported, or that `persist` saw fail, as text. */
  told: () => string;
  context: StepContext;
  run: (steps: readonly Step[], spec: SandboxSpec) => Promise<void>;
  /** As `run`, again from the first step after what may pass, as operations are carried out. */
  persist: (steps: readonly Step[], spec: SandboxSpec) => Promise<void>;
  /** The only application there is; fails when there is another number of them. */
  onlyApplication: () => ApplicationSnapshot;
  /** `METHOD /path` without the ids, of what was sent since the last call. */
  sent: () => string[];
  /** A runtime as a new process of the API would have it. */
  restarted: (changes?: Partial<CoolifyRuntimeOptions>) => Promise<Runtime>;
}

const started: CoolifyFake[] = [];

afterEach(async () => {
  for (const fake of started.splice(0)) await fake.close();
});

interface WorldOptions {
  fake?: CoolifyFakeOptions;
  runtime?: Partial<CoolifyRuntimeOptions>;
  token?: keyof CoolifyFake["tokens"];
  client?: Partial<CoolifyOptions>;
}

/** A Coolify of its own with a runtime on it; closed after the test. */
export async function coolifyWorld(given: WorldOptions = {}): Promise<CoolifyWorld> {
  const fake = startCoolifyFake(given.fake);
  started.push(fake);
  const recorded = new Map<string, string | null>();
  const log: string[] = [];
  const write = (data: object, message: string) => void log.push(`${message} ${describe(data)}`);
  const options: CoolifyRuntimeOptions = {
    client: createCoolifyClient({
      baseUrl: fake.url,
      token: fake.tokens[given.token ?? "all"],
      timeoutMs: 20_000,
      sleep: (ms) => Bun.sleep(ms / 20),
      ...given.client,
    }),
    instanceId: "0123456789abcdef",
    projectUuid: fake.projectUuid,
    environmentName: fake.environmentName,
    serverUuid: fake.serverUuid,
    records: {
      find: (projectId) => recorded.get(projectId) ?? null,
      save: (projectId, appUuid) => void recorded.set(projectId, appUuid),
    },
    gpu: false,
    deployTimeoutMs: 20_000,
    healthTimeoutMs: 20_000,
    pollMs: 5,
    logger: { debug: write, info: write, warn: write },
    ...given.runtime,
  };
  const runtime = await createCoolifyRuntime(options);
  const events: SeenEvent[] = [];
  const context: StepContext = {
    report: (type, data = {}) => void events.push({ type, data }),
    signal: new AbortController().signal,
  };
  const run = async (steps: readonly Step[], spec: SandboxSpec) => {
    for (const step of steps) await step.run(spec, context);
  };
  let seen = fake.requests().length;
  return {
    fake,
    runtime,
    options,
    recorded,
    events,
    context,
    told: () => [...log, JSON.stringify(events)].join("\n"),
    run,
    async persist(steps, spec) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await run(steps, spec);
        } catch (error) {
          const mayPass =
            error instanceof RuntimeError && ["unavailable", "timeout", "not_found"].includes(error.failure);
          write({ error }, "failed:");
          if (!mayPass || tries === 10) throw error;
        }
      }
    },
    onlyApplication() {
      const [app, ...others] = fake.applications();
      if (!app || others.length > 0) throw new Error(`there are ${fake.applications().length} applications`);
      return app;
    },
    sent() {
      const all = fake.requests();
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh.map(
        ({ method, path }) => `${method} ${path.replace("/api/v1", "").replace(/\b[a-z0-9]{24}\b/g, "*")}`,
      );
    },
    restarted: (changes) => createCoolifyRuntime({ ...options, ...changes }),
  };
}

function describe(data: object): string {
  return JSON.stringify(data, (_, value: unknown) =>
    value instanceof Error ? { message: value.message, stack: value.stack, cause: value.cause } : value,
  );
}

/** A small sandbox with public names and a secret among its variables. */
export function coolifySpec(overrides: Partial<SandboxSpec> = {}): SandboxSpec {
  const unique = randomBytes(4).toString("hex");
  const slug = `test-${unique}`;
  return {
    projectId: `prj_${unique}`,
    slug,
    generation: 1,
    imageRef: "registry.example.com/agentpod/agentpod-js:1.0.0",
    flavorId: "js",
    addonIds: [],
    limits: { cpus: 1.5, memoryBytes: 2 * 1024 ** 3, storageBytes: 1024 ** 3 },
    requiresGpu: false,
    ports: [
      { name: "opencode", containerPort: 4096, hostPort: 20_001 },
      { name: "gateway", containerPort: 4097, hostPort: 20_002 },
    ],
    urls: {
      opencode: `https://${slug}.pods.example.com`,
      acpGateway: `https://acp-${slug}.pods.example.com`,
      codeServer: null,
      vnc: null,
      domainsConfig: `https://${slug}.pods.example.com:4096,https://acp-${slug}.pods.example.com:4097`,
    },
    sourceUrl: null,
    gatewayToken: `agt_${randomBytes(16).toString("hex")}`,
    env: { OPENAI_API_KEY: "sk-very-secret-value" },
    ...overrides,
  };
}

/** The RuntimeError that `work` fails with. */
export async function failureOf(work: Promise<unknown>): Promise<RuntimeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RuntimeError) return error;
  throw new Error(`expected a RuntimeError, got ${String(error)}`, { cause: error });
}
