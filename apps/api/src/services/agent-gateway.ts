import type { Database } from "bun:sqlite";
import type { ProjectStatus } from "@agentpod/types";
import { ApiError } from "../http/problem.ts";
import { getProjectById, type ProjectRecord } from "../models/project.ts";
import { type Runtime, RuntimeError } from "../runtimes/runtime.ts";
import { ownerOf } from "./project-owner.ts";
import { openToken } from "./sandbox-spec.ts";
import type { SecretBox } from "./secret-box.ts";

/** Where a project's gateway answers from here. */
export interface AgentGateway {
  baseUrl: URL;
  /** Secret. */
  token: string;
}

export type AgentGateways = ReturnType<typeof createAgentGateways>;

/** While a sandbox is changed it still answers, or already again. */
const ANSWERING: ReadonlySet<ProjectStatus> = new Set<ProjectStatus>(["running", "updating", "restarting"]);

const WHY_NOT: Readonly<Partial<Record<ProjectStatus, string>>> = {
  creating: "It is being made; its events tell when it is ready.",
  starting: "It is being started; its events tell when it is ready.",
  stopping: "It is being stopped; start it afterwards.",
  stopped: "It is stopped; start it first.",
  deleting: "It is being deleted.",
};

/** Finds the gateways of projects that run. */
export function createAgentGateways({
  db,
  runtime,
  secretBox,
}: {
  db: Database;
  runtime: Pick<Runtime, "name">;
  secretBox: SecretBox;
}) {
  function findRunning(id: string): ProjectRecord {
    const project = getProjectById(db, id);
    if (!project) throw new ApiError("project_not_found", "No project has this id.");
    const owner = ownerOf(project) ?? runtime.name;
    if (owner !== runtime.name) {
      const fix = `This API serves ${runtime.name}; one that serves ${owner} can reach it.`;
      throw new ApiError("runtime_mismatch", `The project lives on the ${owner} runtime. ${fix}`);
    }
    if (ANSWERING.has(project.status)) return project;
    const reason = project.statusReason === null ? "" : ` (${project.statusReason.code})`;
    const why = WHY_NOT[project.status] ?? `It has failed${reason}; its status says more. Start or deploy it again.`;
    throw new ApiError("not_running", `The project does not run, so its agents cannot be reached. ${why}`);
  }

  return {
    /** @throws ApiError `project_not_found`, `runtime_mismatch`, `not_running` */
    find(id: string): AgentGateway {
      const project = findRunning(id);
      const baseUrl = baseUrlOf(project);
      if (baseUrl === null || project.gatewayToken === null) {
        throw new ApiError("not_running", "The project's gateway has no address yet; deploy the project again.");
      }
      try {
        return { baseUrl, token: openToken(id, project.gatewayToken, secretBox) };
      } catch (error) {
        if (error instanceof RuntimeError) throw new ApiError("not_running", error.message, { cause: error });
        throw error;
      }
    },

    /** Why a gateway that was found could not be talked to; `saw` is free of secrets. */
    explain(id: string, saw: string): ApiError {
      try {
        findRunning(id);
      } catch (error) {
        if (error instanceof ApiError) return error;
        throw error;
      }
      const fix = "It may be starting again; the project's status and log tell.";
      return new ApiError("gateway_unreachable", `The project's gateway did not answer: ${saw}. ${fix}`, {
        headers: { "retry-after": "2" },
      });
    },
  };
}

/** A port of this host's loopback where there is one: the way by the public name may need a resolver and TLS. */
function baseUrlOf({ ports, gatewayUrl }: ProjectRecord): URL | null {
  const hostPort = ports.find(({ name }) => name === "gateway")?.hostPort;
  if (typeof hostPort === "number") return new URL(`http://127.0.0.1:${hostPort}`);
  return gatewayUrl === null ? null : URL.parse(gatewayUrl);
}
