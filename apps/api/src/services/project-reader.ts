import { AgentActivity, type LogLine, type ProjectStatusReport } from "@agentpod/types";
import type { Database } from "bun:sqlite";
import { ApiError } from "../http/problem.ts";
import { latestOperation, toOperation } from "../models/operation.ts";
import { listSteps } from "../models/operation-step.ts";
import { getProjectById, type ProjectRecord } from "../models/project.ts";
import { askActivity, askGateway } from "../runtimes/ask-gateway.ts";
import { blanker } from "../runtimes/redact.ts";
import { RuntimeError, type Runtime } from "../runtimes/runtime.ts";
import { openToken } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";

const NOT_ASKED: ProjectStatusReport["gateway"] = { healthy: null, activity: null };

export type ProjectReader = ReturnType<typeof createProjectReader>;

/** What a project's runtime can tell about it, without changing anything. */
export function createProjectReader({
  db,
  runtime,
  secretBox,
  secrets,
}: {
  db: Database;
  runtime: Runtime;
  secretBox: SecretBox;
  /** What every sandbox gets and nobody is to read in a log. */
  secrets: () => readonly string[];
}) {
  function find(id: string): ProjectRecord {
    const project = getProjectById(db, id);
    if (!project) throw new ApiError("project_not_found", "No project has this id.");
    return project;
  }

  async function observe(project: ProjectRecord): Promise<ProjectStatusReport["runtime"]> {
    const nothing = { name: project.runtime, state: null, startedAt: null, exitCode: null };
    if (project.runtime !== runtime.name)
      return { ...nothing, error: project.runtime === null ? null : `This API serves the ${runtime.name} runtime.` };
    try {
      const { state, startedAt, exitCode } = await runtime.inspect(project.id);
      return { name: runtime.name, state, startedAt, exitCode, error: null };
    } catch (error) {
      if (error instanceof RuntimeError) return { ...nothing, error: error.message };
      throw error;
    }
  }

  /** Null where there is none, or it was sealed with another key. */
  function tokenOf({ id, gatewayToken }: ProjectRecord): string | null {
    try {
      return gatewayToken === null ? null : openToken(id, gatewayToken, secretBox);
    } catch (error) {
      if (error instanceof RuntimeError) return null;
      throw error;
    }
  }

  async function askAfter(project: ProjectRecord): Promise<ProjectStatusReport["gateway"]> {
    const port = project.ports.find(({ name }) => name === "gateway")?.hostPort;
    const token = tokenOf(project);
    if (typeof port !== "number" || token === null) return NOT_ASKED;
    const signal = new AbortController().signal;
    const asked = { baseUrl: `http://127.0.0.1:${port}`, token, timeoutMs: 1_000, signal };
    const answer = await askGateway(asked);
    const healthy = answer.kind === "info" && answer.projectId === project.id;
    const activity = healthy ? AgentActivity.safeParse(await askActivity(asked)) : undefined;
    return { healthy, activity: activity?.data ?? null };
  }

  return {
    async status(id: string): Promise<ProjectStatusReport> {
      const project = find(id);
      const observed = await observe(project);
      const operation = latestOperation(db, id);
      return {
        status: project.status,
        statusReason: project.statusReason,
        desiredState: project.desiredState,
        runtime: observed,
        gateway: observed.state === "running" ? await askAfter(project) : NOT_ASKED,
        operation: operation ? { ...toOperation(operation), steps: listSteps(db, operation.id) } : null,
      };
    },

    /**
     * Without the providers' credentials, the values of configured variables and the gateway's token, whatever printed them.
     * @throws ApiError `not_running` when the runtime holds nothing of the project.
     */
    async logs(
      id: string,
      options: { tail: number; follow: boolean },
    ): Promise<(signal: AbortSignal) => AsyncIterable<LogLine>> {
      const project = find(id);
      const observed = await observe(project);
      if (observed.error !== null) throw new ApiError("runtime_unavailable", observed.error);
      if (observed.state === null || observed.state === "absent")
        throw new ApiError("not_running", "The project has no sandbox now, and so no log; start it first.");
      const token = tokenOf(project);
      const blank = blanker([...secrets(), ...(token === null ? [] : [token])]);
      return async function* (signal) {
        try {
          for await (const line of runtime.logs(id, { ...options, signal }))
            yield { ...line, message: blank(line.message) };
        } catch (error) {
          // It was removed since it was looked at: its log ends here.
          if (!(error instanceof RuntimeError && error.failure === "not_found")) throw error;
        }
      };
    },
  };
}
