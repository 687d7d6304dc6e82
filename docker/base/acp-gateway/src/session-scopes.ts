import { GatewayError } from "./gateway-error.ts";
import type { Caller, Scope } from "./types.ts";
import type { NewSession, PermissionPolicy } from "./wire/index.ts";

/**
 * What in a new or changed session asks for more than prompting: a policy that allows by itself
 * answers in the place of `approve`, and an MCP server on stdio is a command that runs here.
 * @throws GatewayError forbidden
 */
export function requireSessionScopes(
  {
    permissionPolicy,
    mcpServers = [],
  }: { permissionPolicy?: PermissionPolicy | undefined } & Pick<NewSession, "mcpServers">,
  caller: Caller,
): void {
  if (permissionPolicy !== undefined && allows(permissionPolicy))
    requireScope(caller, "approve", "this permissionPolicy");
  if (mcpServers.some((server) => "command" in server)) requireScope(caller, "admin", "an MCP server on stdio");
}

function requireScope({ scopes, name }: Caller, scope: Scope, what: string): void {
  if (scopes.has(scope)) return;
  throw new GatewayError("forbidden", `${what} needs the scope ${scope}, which the token ${name} does not have`);
}

function allows({ mode, rules = [] }: PermissionPolicy): boolean {
  return mode === "allow-all" || mode === "allow-reads" || rules.some(({ decision }) => decision === "allow");
}
