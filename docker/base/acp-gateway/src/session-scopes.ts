import { GatewayError } from "./gateway-error.ts";
import type { Caller, Scope } from "./types.ts";
import type { NewSession, PermissionPolicy, Session } from "./wire/index.ts";

type Asked = { permissionPolicy?: PermissionPolicy | undefined } & Pick<
  NewSession,
  "mcpServers" | "mode" | "config" | "env"
>;

/** Keys, addresses and names of models and accounts. Any other may be or name settings, and settings name commands. */
const PLAIN_VARIABLE =
  /(?:^|_)(?:KEY|KEY_ID|TOKEN|URL|ENDPOINT|HOST|MODEL|DEPLOYMENT|REGION|LOCATION|PROFILE|PROJECT|PROJECT_ID|ORG|ORG_ID|ORGANIZATION|TOKENS|API_VERSION)$/;

/**
 * What in a new or changed session asks for more than prompting: a policy or a mode that allows by
 * itself answers in the place of `approve`; an MCP server on stdio, and what settings name, is a
 * command that runs here.
 * @throws GatewayError forbidden
 */
export function requireSessionScopes(asked: Asked, caller: Caller): void {
  const { permissionPolicy, mcpServers = [], mode, config = {}, env = {} } = asked;
  if (permissionPolicy !== undefined && allows(permissionPolicy))
    requireScope(caller, "approve", "this permissionPolicy");
  if (mode !== undefined) requireModeScope(caller);
  for (const id of Object.keys(config)) if (MODE_OPTION.test(id)) requireScope(caller, "approve", `the option ${id}`);
  if (mcpServers.some((server) => "command" in server)) requireScope(caller, "admin", "an MCP server on stdio");
  const setting = Object.keys(env).find((name) => !PLAIN_VARIABLE.test(name));
  if (setting !== undefined) requireScope(caller, "admin", `the variable ${setting.slice(0, 64)}`);
}

/** In another mode an agent may do what it would ask for in this one. @throws GatewayError forbidden */
export const requireModeScope = (caller: Caller): void => requireScope(caller, "approve", "a mode");

/** @throws GatewayError forbidden for an option that stands for a mode */
export function requireOptionScope({ configOptions }: Session, id: string, caller: Caller): void {
  const option = configOptions.find((known) => known["id"] === id);
  if (option?.["category"] === "mode" || MODE_OPTION.test(id)) requireScope(caller, "approve", "this option");
}

/** Agents that do not say what an option is for name it like this. */
const MODE_OPTION = /mode$|permission|approval|sandbox/i;

function requireScope({ scopes, name }: Caller, scope: Scope, what: string): void {
  if (scopes.has(scope)) return;
  throw new GatewayError("forbidden", `${what} needs the scope ${scope}, which the token ${name} does not have`);
}

function allows({ mode, rules = [] }: PermissionPolicy): boolean {
  return mode === "allow-all" || mode === "allow-reads" || rules.some(({ decision }) => decision === "allow");
}
