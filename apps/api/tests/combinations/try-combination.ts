import type { Project } from "@agentpod/types";
import { call } from "../support/api-process.ts";
import { dockerLeftovers } from "../support/leftovers.ts";
import { runCliInTerminal } from "../support/run-cli.ts";
import { until } from "../support/wait.ts";
import type { Combination } from "./valid-combinations.ts";

/** A request to a promised port, and the status that shows that its service is the one. */
interface Question {
  path: string;
  status: number;
  headers?: Record<string, string>;
}

const patient = { prefer: "wait=300" };

/** Makes a project of it, asks every port that it promises, deletes it, and looks for what is left. */
export async function tryCombination(
  api: { url: string; dataDir: string },
  { flavorId, addonIds, imageRef }: Combination,
): Promise<{ problems: string[]; ports: string[] }> {
  const body = { name: `Try ${flavorId}`, flavorId, addonIds };
  const { body: made } = await call(api.url, "POST", "/api/projects", body, patient);
  const { project } = made;
  if (project === undefined) throw new Error(`no project was made: ${JSON.stringify(made)}`);
  const problems: string[] = [];
  try {
    if (project.status !== "running") problems.push(`it is ${project.status}: ${JSON.stringify(project.statusReason)}`);
    else problems.push(...(await askPorts(project, await tokenOf(project.id, api.dataDir), addonIds)));
    if (project.imageRef !== imageRef) problems.push(`it runs ${project.imageRef}`);
  } finally {
    const deleted = await call(api.url, "DELETE", `/api/projects/${project.id}`, undefined, patient);
    if (deleted.status >= 300) problems.push(`the delete was answered with ${deleted.status}`);
  }
  const gone = await call(api.url, "GET", `/api/projects/${project.id}`);
  if (gone.status !== 404) problems.push(`once deleted it is answered with ${gone.status}`);
  problems.push(...dockerLeftovers(project.id).map((line) => `left: ${line}`));
  return { problems, ports: project.ports.map(({ name, containerPort }) => `${name} ${containerPort}`) };
}

/** Deletes every project, also one that is just being made; gives what is left of them. */
export async function removeProjects(url: string): Promise<string[]> {
  const { body } = await call(url, "GET", "/api/projects?limit=200");
  for (const { id } of body.projects)
    await until(
      `project ${id} is deleted`,
      async () => (await call(url, "DELETE", `/api/projects/${id}`, undefined, patient)).status === 404 || undefined,
      120_000,
    );
  return body.projects.flatMap(({ id }) => dockerLeftovers(id)).map((line) => `left: ${line}`);
}

async function tokenOf(projectId: string, dataDir: string): Promise<string> {
  const { shown } = await runCliInTerminal(["projects", "access", projectId], { env: { DATA_DIR: dataDir } });
  const token = /[A-Za-z0-9_-]{43}/.exec(shown)?.[0];
  if (token === undefined) throw new Error(`the project's token is not shown: ${shown}`);
  return token;
}

function questionsTo(token: string): Readonly<Record<number, Question[]>> {
  const basic = `Basic ${btoa(`opencode:${token}`)}`;
  return {
    4096: [
      { path: "/config", status: 401 },
      { path: "/config", status: 200, headers: { authorization: basic } },
    ],
    4097: [
      { path: "/health", status: 200 },
      { path: "/info", status: 401 },
      { path: "/info", status: 200, headers: { authorization: `Bearer ${token}` } },
    ],
    6080: [
      { path: "/health", status: 200 },
      { path: "/login", status: 200 },
    ],
    8080: [
      { path: "/healthz", status: 200 },
      { path: "/", status: 302 },
    ],
  };
}

const promisedBy: Readonly<Record<string, number>> = { gui: 6080, "code-server": 8080 };

async function askPorts({ ports }: Project, token: string, addonIds: readonly string[]): Promise<string[]> {
  const questions = questionsTo(token);
  const promised = [4096, 4097, ...addonIds.flatMap((addonId) => promisedBy[addonId] ?? [])];
  const missing = promised.filter((port) => !ports.some(({ containerPort }) => containerPort === port));
  const problems = missing.map((port) => `port ${port} is not among the project's`);
  for (const { containerPort, hostPort } of ports) {
    const asked = questions[containerPort];
    if (asked === undefined) problems.push(`nobody knows what to ask port ${containerPort}`);
    for (const question of asked ?? []) {
      const problem = await ask(`http://127.0.0.1:${hostPort}`, question);
      if (problem !== undefined) problems.push(`port ${containerPort}: ${problem}`);
    }
  }
  return problems;
}

/** A service may come up after the gateway, by which the sandbox is called healthy. */
async function ask(origin: string, { path, status, headers = {} }: Question): Promise<string | undefined> {
  let last = "no answer";
  const answered = until(
    path,
    async () => {
      try {
        const signal = AbortSignal.timeout(10_000);
        const response = await fetch(`${origin}${path}`, { headers, redirect: "manual", signal });
        last = String(response.status);
      } catch (error) {
        last = String(error);
      }
      return last === String(status) || undefined;
    },
    90_000,
  );
  return await answered.then(
    () => undefined,
    () => `${path} is answered with ${last} instead of ${status}`,
  );
}
