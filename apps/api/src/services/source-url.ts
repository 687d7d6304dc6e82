import { isIP } from "node:net";
import type { Violation, ViolationCode } from "@agentpod/types";
import { isBlockedHost } from "../runtimes/blocked-address.ts";

const SCHEMES = ["https:", "http:", "ssh:", "git:"];

/**
 * Why a sandbox must not clone from `url`; empty when it may. Private networks are allowed, as
 * self-hosted forges live there. Messages never quote the URL: it may hold a password.
 */
export function checkSourceUrl(url: string): Violation[] {
  const scpLike = toSshForm(url);
  if (scpLike !== undefined) {
    return [violation("source_url_invalid", "'sourceUrl' is in git's short form, not a URL", `Send ${scpLike}`)];
  }
  const parsed = parse(url);
  if (parsed === undefined) {
    const fix = "Send a full URL such as https://forge.example/owner/repository.git";
    return [violation("source_url_invalid", "'sourceUrl' is not a URL that git can clone from", fix)];
  }
  if (!SCHEMES.includes(parsed.protocol)) {
    return [
      violation("source_url_scheme", "'sourceUrl' has a scheme that is not allowed", "Use https, http, ssh or git"),
    ];
  }
  const found: Violation[] = [];
  if (hasCredentials(parsed)) {
    const fix = "Remove the part between :// and @; with ssh a user name alone is allowed";
    found.push(
      violation("source_url_credentials", "'sourceUrl' holds credentials, which would be stored and shown", fix),
    );
  }
  const host = hostOf(parsed);
  if (!isHostName(host)) {
    found.push(
      violation(
        "source_url_invalid",
        "'sourceUrl' has no usable host name",
        "Name the host as in DNS, or by its IP address",
      ),
    );
  } else if (isBlockedHost(host)) {
    const fix = "Use the forge's own name, or its address on the network";
    found.push(
      violation(
        "source_url_address",
        "'sourceUrl' points at this machine, a link-local or another special address",
        fix,
      ),
    );
  }
  return found;
}

/** `ssh://user@host/path` for git's `user@host:path`, else undefined. */
function toSshForm(url: string): string | undefined {
  const match = /^(?:([\w.-]+)@)?([A-Za-z0-9][\w.-]*):(?!\/\/)([\w~./-]+)$/.exec(url);
  const [, user, host, path] = match ?? [];
  if (host === undefined || path === undefined || (user === undefined && !host.includes("."))) return undefined;
  return `ssh://${user === undefined ? "" : `${user}@`}${host}/${path.replace(/^\/+/, "")}`;
}

function parse(url: string): URL | undefined {
  // The URL parser drops blanks and control characters that git would take at their word, turns
  // backslashes into slashes, and skips a third slash.
  if (/[\s\\\p{Cc}\p{Cf}]|%0[0ad]/iu.test(url) || !/^(?:file:\/\/|[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/])/.test(url))
    return undefined;
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  return parsed.protocol === "file:" || parsed.hostname !== "" ? parsed : undefined;
}

function hasCredentials({ protocol, username, password }: URL): boolean {
  if (password !== "") return true;
  if (username === "") return false;
  return protocol !== "ssh:" || !/^[A-Za-z0-9_][\w.-]*$/.test(username);
}

/** Normalised: only http(s) hosts are brought into their plain form by the URL parser itself. */
function hostOf({ hostname }: URL): string {
  const asHttp = URL.parse(`http://${decodeHost(hostname)}/`);
  const host = asHttp === null ? hostname : asHttp.hostname;
  return host
    .replace(/^\[|\]$/g, "")
    .replace(/\.+$/, "")
    .toLowerCase();
}

function decodeHost(hostname: string): string {
  try {
    return decodeURIComponent(hostname);
  } catch {
    return hostname;
  }
}

/** A leading dash would reach git or ssh as an option. */
function isHostName(host: string): boolean {
  if (isIP(host) !== 0) return true;
  return (
    host.length <= 253 && host.split(".").every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  );
}

function violation(code: ViolationCode, message: string, fix: string): Violation {
  return { path: "sourceUrl", code, message, fix };
}
