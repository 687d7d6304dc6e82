import { GatewayError } from "../gateway-error.ts";
import type { AgentManager } from "../types.ts";
import type { JsonObject, NewTerminal } from "../wire/index.ts";

/** What runs in a terminal. */
export type Program = { argv: [string, ...string[]]; env: Record<string, string> };

type ProgramDeps = { agents: Pick<AgentManager, "find" | "probe" | "command">; env: Record<string, string> };

/** @throws GatewayError invalid_request, agent_not_found, agent_not_installed, not_supported */
export async function programOf(input: NewTerminal, { agents, env }: ProgramDeps): Promise<Program> {
  const { agent, authMethodId, command } = input;
  if (agent !== undefined && authMethodId !== undefined) return loginProgram(agents, agent, authMethodId);
  const [name, ...args] = command ?? [shellOf(env)];
  const program = name === undefined ? null : Bun.which(name, { PATH: env["PATH"] ?? "" });
  if (program === null) throw new GatewayError("invalid_request", `${JSON.stringify(name)} is no program on the PATH`);
  return { argv: [program, ...args], env: {} };
}

/** The agent's own program, with what its method adds to the arguments and variables. */
async function loginProgram(agents: ProgramDeps["agents"], id: string, methodId: string): Promise<Program> {
  const known = await agents.find(id);
  if (!known) throw new GatewayError("agent_not_found", "no such agent; GET /v1/agents lists them");
  const { initialized } = known.initialized ? known : await agents.probe(id);
  const methods = objects(initialized?.["authMethods"]);
  const method = methods.find((candidate) => candidate["id"] === methodId);
  if (!method) {
    const ids = methods.map((candidate) => JSON.stringify(candidate["id"])).join(", ") || "none";
    throw new GatewayError("invalid_request", `${id} has no such method; it has ${ids}`);
  }
  if (method["type"] !== "terminal") {
    throw new GatewayError("not_supported", "the method is none of a terminal; use authenticate");
  }
  const { argv, env } = await agents.command(id);
  return { argv: [...argv, ...strings(method["args"])], env: { ...env, ...variables(method["env"]) } };
}

function shellOf(env: Record<string, string>): string {
  const found = [env["SHELL"], "/bin/bash", "/bin/sh"].find((shell) => shell && Bun.which(shell));
  return found ?? "/bin/sh";
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "object" && item !== null) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function variables(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(entries.filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)));
}
