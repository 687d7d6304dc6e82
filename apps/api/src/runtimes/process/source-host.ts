import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isBlockedAddress } from "../blocked-address.ts";
import { RuntimeError } from "../runtime.ts";

const SCHEMES = ["https:", "http:", "ssh:", "git:"];
const HTTP_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

export interface SourceHostRules {
  /** All addresses of a host name; rejects when there are none. */
  resolveHost: (host: string) => Promise<readonly string[]>;
  /** Whether nothing may be cloned from an address. */
  isBlocked: (address: string) => boolean;
}

export const defaultSourceHostRules: SourceHostRules = {
  resolveHost: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  isBlocked: isBlockedAddress,
};

/**
 * Looks the host of a repository up and refuses what leads back to this machine or the like.
 * Returns git settings that hold git to the addresses seen here, so that a name that changes its
 * mind between two look-ups gains nothing.
 * @throws RuntimeError `source_clone_failed`
 */
export async function checkSourceHost(
  url: URL,
  { resolveHost, isBlocked }: SourceHostRules,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  if (!SCHEMES.includes(url.protocol) || url.hostname === "") {
    throw new RuntimeError("source_clone_failed", "sourceUrl cannot be cloned; use an https, http, ssh or git URL");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await resolveHost(host).catch(() => []);
  if (addresses.some(isBlocked)) {
    throw new RuntimeError(
      "source_clone_failed",
      `${host} leads to this machine or to a link-local address; use a host that others reach too`,
    );
  }
  if (addresses.length === 0) {
    // Behind a proxy, names outside are often for the proxy alone to look up.
    if (usesProxy(url, env)) return [];
    throw new RuntimeError("source_clone_failed", `the host ${host} of sourceUrl cannot be found; check its name`);
  }
  const port = url.port || HTTP_PORTS[url.protocol];
  if (isIP(host) || !url.protocol.startsWith("http") || port === undefined) return [];
  const list = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address)).join(",");
  return ["-c", `http.curloptResolve=${host}:${port}:${list}`];
}

function usesProxy(url: URL, env: Readonly<Record<string, string>>): boolean {
  if (!url.protocol.startsWith("http")) return false;
  const name = `${url.protocol.slice(0, -1)}_proxy`;
  return [name, name.toUpperCase(), "all_proxy", "ALL_PROXY"].some((variable) => Boolean(env[variable]));
}
