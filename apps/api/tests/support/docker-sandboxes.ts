import { randomBytes, randomUUID } from "node:crypto";
import type Dockerode from "dockerode";
import { afterAll } from "bun:test";
import { connectDocker } from "../../src/runtimes/docker/connect.ts";
import { createDockerRuntime, type DockerRuntimeOptions } from "../../src/runtimes/docker/index.ts";
import { readLogFrames } from "../../src/runtimes/docker/log-frames.ts";
import type { Runtime, SandboxSpec, StepContext } from "../../src/runtimes/runtime.ts";
import { engineHost } from "./engine.ts";
import { sandboxImage } from "./sandbox-image.ts";

export interface SeenEvent {
  type: string;
  data: Record<string, unknown>;
}

/** A docker runtime of its own for one test file; whatever it made is removed at the file's end. */
export function dockerSandboxes() {
  const docker = connectDocker(engineHost);
  const instanceId = `test-${randomUUID()}`;
  const images: string[] = [];

  const runtime = (options: Partial<DockerRuntimeOptions> = {}): Promise<Runtime> =>
    createDockerRuntime({
      docker,
      instanceId,
      wildcardDomain: null,
      healthTimeoutMs: 60_000,
      stopTimeoutSeconds: 10,
      logger: { warn: () => undefined },
      ...options,
    });

  afterAll(async () => {
    const sweeper = await runtime();
    for (const { projectId } of await sweeper.list()) await sweeper.sweep(projectId);
    for (const image of images) await docker.getImage(image).remove({ force: true });
  });

  return {
    docker,
    instanceId,
    runtime,
    /** An image to be removed at the end. */
    keep: (image: string): string => {
      images.push(image);
      return image;
    },
    container: (spec: Pick<SandboxSpec, "projectId">) => docker.getContainer(`agentpod-${spec.projectId}`),
  };
}

/** A small sandbox on free ports. */
export function sandboxSpec(overrides: Partial<SandboxSpec> = {}): SandboxSpec {
  const unique = randomBytes(6).toString("hex");
  return {
    projectId: `prj_${unique}`,
    slug: `test-${unique}`,
    generation: 1,
    imageRef: sandboxImage,
    flavorId: "js",
    addonIds: [],
    limits: { cpus: 1, memoryBytes: 512 * 1024 ** 2, storageBytes: 1024 ** 3 },
    requiresGpu: false,
    ports: [
      { name: "opencode", containerPort: 4096, hostPort: freePort() },
      { name: "gateway", containerPort: 4097, hostPort: freePort() },
    ],
    urls: { opencode: null, acpGateway: null, codeServer: null, vnc: null, domainsConfig: "" },
    sourceUrl: null,
    gatewayToken: randomBytes(24).toString("base64url"),
    env: {},
    ...overrides,
  };
}

/** Runs steps of a runtime in order; answers the events they reported. */
export async function runSteps(
  steps: Runtime["steps"]["deploy"],
  spec: SandboxSpec,
  { signal, onEvent }: { signal?: AbortSignal; onEvent?: (event: SeenEvent) => void } = {},
): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  const context: StepContext = {
    report: (type, data = {}) => {
      events.push({ type, data });
      onEvent?.({ type, data });
    },
    signal: signal ?? new AbortController().signal,
  };
  for (const step of steps) await step.run(spec, context);
  return events;
}

/** What a command printed inside a container. */
export async function execIn(
  container: Dockerode.Container,
  command: string[],
): Promise<{ exitCode: number | null; output: string }> {
  const exec = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
  const chunks: Buffer[] = [];
  for await (const chunk of await exec.start({ hijack: false, stdin: false })) chunks.push(Buffer.from(chunk));
  const output = [...readLogFrames(Buffer.concat(chunks))].map(({ payload }) => payload.toString("utf8")).join("");
  return { exitCode: (await exec.inspect()).ExitCode, output };
}

export function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  if (port === undefined) throw new Error("no free port");
  return port;
}
