import type { ContainerAddonRecord, ProjectUrls } from "@agentpod/types";
import { defaultContext } from "./resolver-context.ts";
import { GATEWAY_PORT, OPENCODE_PORT } from "./sandbox-ports.ts";

/** Addons whose host names are shorter than their ids. */
const HOST_PREFIXES: ReadonlyMap<string, string> = new Map([
  ["code-server", "code"],
  ["gui", "vnc"],
]);

/** What stands, with a dash, before a project's slug in the host names of its services. */
export function hostPrefixes(addons: readonly Pick<ContainerAddonRecord, "id" | "port">[]): string[] {
  return ["acp", ...addons.flatMap(({ id, port }) => (port === null ? [] : [prefixOf(id)]))];
}

const prefixOf = (addonId: string): string => HOST_PREFIXES.get(addonId) ?? addonId;

/** Host names of a project's services under the wildcard domain: OpenCode's is the slug itself. */
export function generateProjectUrls(
  slug: string,
  addons: readonly Pick<ContainerAddonRecord, "id" | "port">[],
  context: { wildcardDomain: string | null } = defaultContext(),
): ProjectUrls {
  const { wildcardDomain: domain } = context;
  if (domain === null) return { opencode: null, acpGateway: null, codeServer: null, vnc: null, domainsConfig: "" };
  const urlOf = (prefix: string) => `https://${prefix}${slug}.${domain}`;
  const served = addons.flatMap(({ id, port }) =>
    port === null ? [] : [{ id, port, url: urlOf(`${prefixOf(id)}-`) }],
  );
  const find = (id: string) => served.find((service) => service.id === id)?.url ?? null;
  const opencode = urlOf("");
  const acpGateway = urlOf("acp-");
  const all = [{ url: opencode, port: OPENCODE_PORT }, { url: acpGateway, port: GATEWAY_PORT }, ...served];
  return {
    opencode,
    acpGateway,
    codeServer: find("code-server"),
    vnc: find("gui"),
    domainsConfig: all.map(({ url, port }) => `${url}:${port}`).join(","),
  };
}
