import { type Answer, refuse } from "../answer.ts";
import type { Application, Server } from "../state.ts";
import type { World } from "../world.ts";

const URL_FORM = /^(https?:\/\/)([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:]+\])(?::(\d{1,5}))?((?:\/[^\s*]*)?)$/i;

export interface Domains {
  /** One text with commas, or null for none. */
  fqdn: string | null;
  items: string[];
  invalid: string[];
}

/** Takes a list of URLs apart: blanks and empty items go, scheme and host become lower case. */
export function readDomains(given: unknown): Domains {
  const items: string[] = [];
  const invalid: string[] = [];
  for (const part of typeof given === "string" ? given.split(",") : []) {
    const item = part.trim();
    if (item === "") continue;
    const [, scheme = "", host = "", port, path = ""] = URL_FORM.exec(item) ?? [];
    const fits = host !== "" && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
    if (!fits || !URL.canParse(item)) invalid.push(item);
    else items.push(`${scheme.toLowerCase()}${host.toLowerCase()}${port === undefined ? "" : `:${port}`}${path}`);
  }
  return { fqdn: items.length === 0 ? null : items.join(","), items, invalid };
}

/** Refuses with 409 when another application has one of these URLs, letter for letter. */
export function refuseConflicts(world: World, items: string[], own: Application | null) {
  const conflicts = [];
  for (const application of world.applications.values()) {
    if (application === own || !application.columns.fqdn) continue;
    const taken = application.columns.fqdn.split(",");
    for (const domain of items) if (taken.includes(domain)) conflicts.push(conflict(domain, application));
  }
  if (conflicts.length > 0) refuse(conflictAnswer(conflicts));
}

/** What Coolify makes up when no domain is given. */
export function generatedDomain(server: Server, uuid: string): string {
  const [, scheme, host] = /^(https?:\/\/)(.+?)\/?$/.exec(server.wildcardDomain ?? "") ?? [];
  return host ? `${scheme}${uuid}.${host}` : `http://${uuid}.${server.ip}.sslip.io`;
}

const conflict = (domain: string, { uuid, columns }: Application) => ({
  domain,
  resource_name: columns.name,
  resource_uuid: uuid,
  resource_type: "application",
  message: `Domain ${domain} is already in use by application '${columns.name}'`,
});

const conflictAnswer = (conflicts: ReturnType<typeof conflict>[]): Answer => ({
  status: 409,
  json: {
    message: "Domain conflicts detected. Use force_domain_override=true to proceed.",
    conflicts,
    warning: "Using the same domain for multiple resources can cause routing conflicts and unpredictable behavior.",
  },
});
