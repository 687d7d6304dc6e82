import { unsafeValue } from "./errors.ts";

/** A public address and the container's port behind it; without `port` the first exposed one is used. */
export interface Domain {
  /** `http(s)://host[/path]`, without a port: the proxy listens on 80 and 443. */
  url: string;
  port?: number | undefined;
}

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const ADDRESS = new RegExp(
  String.raw`^(?<origin>https?:\/\/${LABEL}(?:\.${LABEL})*)(?::(?<port>\d{1,5}))?(?<path>\/[A-Za-z0-9\-._~\/]*)?$`,
);

/** Coolify's `domains`: a comma list in which the port after a host is the container's. */
export function domainList(domains: readonly Domain[]): string {
  const list = domains.map(({ url, port }) => {
    const { origin, port: publicPort, path } = ADDRESS.exec(url)?.groups ?? {};
    if (origin === undefined) throw wrong(ADDRESS_RULE);
    if (publicPort !== undefined) throw wrong("must not hold a public port; the proxy listens on 80 and 443");
    if (port !== undefined && !isPort(port)) throw wrong("must have container ports from 1 to 65535");
    return `${origin}${port === undefined ? "" : `:${port}`}${path ?? ""}`;
  });
  const text = list.join(",");
  const problem = domainsProblem(text);
  if (problem !== null) throw wrong(problem);
  return text;
}

const ADDRESS_RULE = "must be http(s) addresses in lower case, without wildcards, queries or blanks";

/** What is wrong with a `domains` string; an empty one clears them. */
export function domainsProblem(text: string): string | null {
  if (text === "") return null;
  const routes = new Set<string>();
  for (const item of text.split(",")) {
    const { origin, port, path } = ADDRESS.exec(item)?.groups ?? {};
    if (origin === undefined) return ADDRESS_RULE;
    if (port !== undefined && !isPort(Number(port))) return "must have container ports from 1 to 65535";
    // Coolify compares whole strings, the proxy only host and path: two ports of one host would clash there.
    const route = `${origin.replace(/^https?/, "")}${path ?? "/"}`;
    if (routes.has(route)) return "must not name the same host and path twice";
    routes.add(route);
  }
  return null;
}

/** `ports_exposes`: the container's ports, the first of which becomes its PORT. */
export function portList(ports: readonly number[]): string {
  const text = ports.join(",");
  const problem = ports.every(isPort) ? portsProblem(text) : "must be whole numbers from 1 to 65535";
  if (problem !== null) throw unsafeValue([{ path: "ports_exposes", message: problem }]);
  return text;
}

export function portsProblem(text: string): string | null {
  if (!/^\d{1,5}(?:,\d{1,5})*$/.test(text)) return "must be a comma list of port numbers without blanks";
  const ports = text.split(",").map(Number);
  if (!ports.every(isPort)) return "must hold ports from 1 to 65535";
  return new Set(ports).size === ports.length ? null : "must not hold a port twice";
}

export function portMappingsProblem(text: string): string | null {
  const rule = "must be a comma list of host:container port numbers";
  if (!/^\d{1,5}:\d{1,5}(?:,\d{1,5}:\d{1,5})*$/.test(text)) return rule;
  return text.split(/[,:]/).map(Number).every(isPort) ? null : rule;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function wrong(message: string) {
  return unsafeValue([{ path: "domains", message }]);
}
