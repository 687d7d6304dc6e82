import type { Project } from "@agentpod/types";
import type { Random } from "../support/random.ts";
import { createRestartableApi, type RestartableApi } from "./api.ts";
import { settle } from "./settle.ts";
import type { World } from "./world.ts";

/** What a script that uses the API knows of a project: it asked for it, and may have been told so. */
interface Asked {
  key: string;
  body: Record<string, unknown>;
  /** Set once an answer came. */
  id: string | null;
  /** A delete was accepted. */
  isDeleted: boolean;
  /** A delete was sent whose answer was lost. */
  mayBeDeleted: boolean;
}

export interface ScenarioResult {
  actions: string[];
  problems: string[];
  /** What the API wrote; only when there are problems. */
  output: string;
}

/**
 * Changes projects at random while the place they run in and the API itself fail at random, then lets
 * everything come to rest and compares: what was asked for, what the API says, and what really runs.
 */
export async function runScenario(world: World, random: Random): Promise<ScenarioResult> {
  const actions: string[] = [];
  const problems: string[] = [];
  const api = createRestartableApi(world.env);
  const asked: Asked[] = [];
  const pending: Promise<unknown>[] = [];
  try {
    await api.start();
    const steps = 5 + random.below(8);
    for (let step = 0; step < steps; step += 1) {
      if (random.below(2) === 0) actions.push(`fault: ${await world.disturb(random, api.dataDir)}`);
      const { what, done } = act(api, world, random, asked, step);
      actions.push(what);
      pending.push(done);
      if (random.below(3) === 0) await done;
      await Bun.sleep(random.below(120));
      if (random.below(4) === 0) {
        const signal = random.below(4) === 0 ? "SIGTERM" : "SIGKILL";
        actions.push(signal);
        await api.kill(signal);
        await api.start();
      }
    }
    await Promise.all(pending);
    await world.calm();
    actions.push("calm");
    problems.push(...(await finishCreates(api, asked)));
    const projects = await settle(api, problems);
    problems.push(...judge(asked, projects), ...(await compare(world, api, projects)));
  } catch (error) {
    problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await api.close();
  }
  return { actions, problems, output: problems.length > 0 ? api.output() : "" };
}

function act(
  api: RestartableApi,
  world: World,
  random: Random,
  asked: Asked[],
  step: number,
): { what: string; done: Promise<void> } {
  const known = asked.filter(({ id, isDeleted }) => id !== null && !isDeleted);
  const choice = random.below(10);
  if (known.length === 0 || (choice < 3 && asked.length < 4)) {
    const body = { name: `Chaos ${step}`, ...configuration(world, random) };
    const entry: Asked = { key: `key-${step}-${asked.length}`, body, id: null, isDeleted: false, mayBeDeleted: false };
    asked.push(entry);
    return { what: `create ${JSON.stringify(body)}`, done: sendCreate(api, entry) };
  }
  const target = random.pick(known);
  const path = `/api/projects/${target.id}`;
  const send = async (method: string, to: string, body?: unknown) => void (await api.call(method, to, body));
  switch (choice) {
    case 3:
    case 4: {
      const body = configuration(world, random);
      return { what: `patch ${target.key} ${JSON.stringify(body)}`, done: send("PATCH", path, body) };
    }
    case 5:
    case 6:
      return { what: `stop ${target.key}`, done: send("POST", `${path}/stop`) };
    case 7:
      return { what: `start ${target.key}`, done: send("POST", `${path}/start`) };
    case 8: {
      const verb = random.pick(["restart", "deploy"]);
      return { what: `${verb} ${target.key}`, done: send("POST", `${path}/${verb}`) };
    }
    default:
      return { what: `delete ${target.key}`, done: sendDelete(api, target, path) };
  }
}

function configuration(world: World, random: Random): Record<string, unknown> {
  return {
    flavorId: random.pick(world.flavorIds),
    addonIds: random.pick(world.addonSets),
    resourceTierId: random.pick(["starter", "builder"]),
  };
}

async function sendCreate(api: RestartableApi, entry: Asked): Promise<void> {
  const answer = await api.call("POST", "/api/projects", entry.body, { "idempotency-key": entry.key });
  if (answer?.status === 201) entry.id = answer.body.project?.id ?? null;
}

async function sendDelete(api: RestartableApi, target: Asked, path: string): Promise<void> {
  const answer = await api.call("DELETE", path);
  if (answer === null) target.mayBeDeleted = true;
  else if (answer.status === 202 || answer.status === 204 || answer.status === 404) target.isDeleted = true;
}

/** Sends again what was never answered, as a script with a key may. */
async function finishCreates(api: RestartableApi, asked: readonly Asked[]): Promise<string[]> {
  const problems: string[] = [];
  for (const entry of asked) {
    if (entry.id === null) await sendCreate(api, entry);
    if (entry.id === null) problems.push(`create ${entry.key} was never answered`);
  }
  return problems;
}

function judge(asked: readonly Asked[], projects: readonly Project[]): string[] {
  const there = new Set(projects.map(({ id }) => id));
  const problems = asked.flatMap(({ key, id, isDeleted, mayBeDeleted }) => {
    if (id === null) return [];
    if (isDeleted && there.has(id)) return [`${key} (${id}) was deleted and is still there`];
    if (!isDeleted && !mayBeDeleted && !there.has(id)) return [`${key} (${id}) is lost`];
    return [];
  });
  const known = new Set(asked.map(({ id }) => id));
  problems.push(...projects.flatMap(({ id, name }) => (known.has(id) ? [] : [`nobody asked for ${id} (${name})`])));
  if (new Set(asked.flatMap(({ id }) => id ?? [])).size < asked.filter(({ id }) => id !== null).length)
    problems.push("two creates were given one project");
  return problems;
}

async function compare(world: World, api: RestartableApi, projects: readonly Project[]): Promise<string[]> {
  const problems: string[] = [];
  const actual = await world.actual(api.dataDir);
  for (const { projectId } of actual)
    if (!projects.some(({ id }) => id === projectId)) problems.push(`orphan: a sandbox of ${projectId}`);
  for (const project of projects) {
    const own = actual.filter(({ projectId }) => projectId === project.id);
    const running = own.filter(({ isRunning }) => isRunning);
    if (own.length > 1) problems.push(`double: ${own.length} sandboxes of ${project.id}`);
    const isWanted = project.status === "running";
    if (isWanted !== running.length > 0)
      problems.push(`${project.id} is ${project.status}, but ${running.length} sandboxes of it run`);
    const [sandbox] = running;
    const expected = world.expected(project);
    if (isWanted && sandbox && sandbox.configuration !== expected)
      problems.push(`${project.id} runs ${sandbox.configuration} instead of ${expected}`);
  }
  return [...problems, ...(await world.leftovers(projects, api.dataDir))];
}
