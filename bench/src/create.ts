import { awaitHealth } from "./support/await-health.ts";
import { createDataFolder } from "./support/data.ts";
import { type Container, docker, dockerHas, inspectContainer, runLike } from "./support/docker.ts";
import { freePorts } from "./support/free-ports.ts";
import { type Options, readOptions } from "./support/options.ts";
import { createProject, type CreatedProject, deleteProject, resolveImageRef, settled } from "./support/projects.ts";
import { type Comparison, report } from "./support/report.ts";
import { alternate } from "./support/rounds.ts";
import { runBench } from "./support/run-bench.ts";
import { startApi } from "./support/server.ts";

const gatewayPort = "4097/tcp";
const network = "agentpod";

/** Milliseconds from the request for a project until its gateway is healthy; the project is gone afterwards. */
async function timeProject(
  apiUrl: string,
  signal: AbortSignal,
  whileUp?: (project: CreatedProject) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  const project = await createProject(apiUrl, "Created by a benchmark");
  try {
    await awaitHealth(`http://127.0.0.1:${project.gatewayPort}/health`, signal);
    const elapsedMs = performance.now() - startedAt;
    const outcome = await settled(apiUrl, project.id);
    if (outcome !== "succeeded") throw new Error(`the project's creation ended as ${outcome}`);
    await whileUp?.(project);
    return elapsedMs;
  } finally {
    await deleteProject(apiUrl, project.id);
  }
}

/** The same for `docker run` with the same settings. */
async function timeDockerRun(like: Container, signal: AbortSignal): Promise<number> {
  const name = `agentpod-bench-${crypto.randomUUID()}`;
  const inside = Object.keys(like.HostConfig.PortBindings);
  const outside = freePorts(inside.length);
  const ports = new Map(inside.map((port, index) => [port, outside[index] ?? 0]));
  const command = runLike(like, name, ports);
  const startedAt = performance.now();
  const run = docker(...command);
  try {
    await Promise.all([run, awaitHealth(`http://127.0.0.1:${ports.get(gatewayPort)}/health`, signal)]);
    return performance.now() - startedAt;
  } finally {
    await run.catch(() => undefined);
    await docker("rm", "--force", name);
    await docker("volume", "rm", "--force", name);
  }
}

async function benchDocker({ rounds }: Options, signal: AbortSignal): Promise<Comparison> {
  using data = createDataFolder();
  const networkWasThere = await dockerHas("network", network);
  try {
    await using api = await startApi({ dataDir: data.path, env: { RUNTIME: "docker", ...dockerEnvironment() } });
    await requireImage(api.url);
    let like: Container | undefined;
    // Also the warm-up, and where the settings to compare with come from.
    await timeProject(api.url, signal, async ({ id }) => {
      like = await inspectContainer(`agentpod-${id}`);
    });
    if (!like) throw new Error("the first project had no container");
    const reference = like;
    await timeDockerRun(reference, signal);
    const values = await alternate(
      { rounds, signal },
      { measured: () => timeProject(api.url, signal), reference: () => timeDockerRun(reference, signal) },
    );
    return { name: "Docker, against docker run", unit: "ms", ...values, aim: { atMost: 1.15 } };
  } finally {
    if (!networkWasThere && (await dockerHas("network", network))) await docker("network", "rm", network);
  }
}

async function requireImage(apiUrl: string): Promise<void> {
  const imageRef = await resolveImageRef(apiUrl);
  if (await dockerHas("image", imageRef)) return;
  throw new Error(`The engine has no image ${imageRef}. Make it: docker/scripts/build.sh --flavor js`);
}

async function benchProcess({ rounds }: Options, signal: AbortSignal): Promise<Comparison> {
  using data = createDataFolder();
  await using api = await startApi({ dataDir: data.path, env: { RUNTIME: "process" } });
  await timeProject(api.url, signal);
  const measured: number[] = [];
  while (measured.length < rounds) measured.push(await timeProject(api.url, signal));
  return { name: "process", unit: "ms", measured, aim: { atMost: 500 } };
}

/** What finds the engine and the images, when this shell says so. */
function dockerEnvironment(): Record<string, string> {
  const names = ["DOCKER_HOST", "DOCKER_CERT_PATH", "REGISTRY_URL", "REGISTRY_OWNER", "IMAGE_VERSION"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

const options = readOptions("bun src/create.ts [--json] [--check] [--rounds N]", { rounds: 9, seconds: 1 });
await runBench(async (signal) => {
  const comparisons = [await benchDocker(options, signal), await benchProcess(options, signal)];
  report("From POST /api/projects until the gateway is healthy (flavor js, image present)", comparisons, options, [
    `${options.rounds} rounds; what is compared has the same image, limits, volume, network and number of ports`,
  ]);
});
