import type { Violation } from "@agentpod/types";
import { isBlockedHost } from "../runtimes/blocked-address.ts";

const schemes = ["https:", "http:", "ssh:", "git:"];

type Finding = Pick<Violation, "code" | "message" | "fix">;

/** Everything wrong with a repository's URL as far as it can be told without a look-up. Messages never repeat it, as it may hold a secret. */
export function checkSourceUrl(sourceUrl: string): Violation[] {
  return findings(sourceUrl).map((finding) => ({ path: "sourceUrl", ...finding }));
}

function findings(sourceUrl: string): Finding[] {
  if (/[\s\p{Cc}]/u.test(sourceUrl) && !/^[a-z][a-z0-9+.-]*:/i.test(sourceUrl)) return [invalid()];
  const scpLike = /^(?:[\w.-]+@)?[\w.-]+:(?!\/\/)[^\s]*$/.test(sourceUrl) && !/^[a-z][a-z0-9+.-]*::/i.test(sourceUrl);
  if (scpLike && sourceUrl.includes("@")) {
    return [{ code: "source_url_invalid", message: "'sourceUrl' is in scp form, not a URL", fix: "Write it as ssh://git@host/owner/repository.git" }];
  }
  if (!URL.canParse(sourceUrl)) return [invalid()];
  const url = new URL(sourceUrl);
  if (!schemes.includes(url.protocol)) {
    return [{ code: "source_url_scheme", message: `'sourceUrl' has a scheme that cannot be cloned from`, fix: "Use https, http, ssh or git" }];
  }
  const found: Finding[] = [];
  const namesUserOnly = url.protocol === "ssh:" && url.password === "" && /^[\w][\w.-]*$/.test(url.username);
  if ((url.username !== "" || url.password !== "") && !namesUserOnly) {
    found.push({ code: "source_url_credentials", message: "'sourceUrl' holds credentials, which would be stored and shown", fix: "Remove the part before the @" });
  }
  const host = url.hostname;
  if (host === "" || host.startsWith("-") || /\s/.test(sourceUrl)) found.push(invalid());
  else if (isBlockedHost(host)) {
    found.push({ code: "source_url_address", message: "'sourceUrl' points at this machine or at a link-local address", fix: "Use the name or address under which others reach the repository" });
  }
  return found;
}

function invalid(): Finding {
  return { code: "source_url_invalid", message: "'sourceUrl' is not a URL", fix: "Use a form such as https://host/owner/repository.git" };
}
