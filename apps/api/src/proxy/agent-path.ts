import { ApiError } from "../http/problem.ts";

const REACHABLE = ["v1", "acp"];
const SINGLE = ["openapi.json", "health", "readyz", "metrics"];
/** They hand out secrets that stand for the gateway's own token. */
const WITHHELD = ["login", "tickets"];

/**
 * The path and query to ask the gateway for, from what follows `/agent` in a request's URL, as it was sent.
 * @throws ApiError `invalid_request` for what could be read as another path, `not_found` for what is not reached
 */
export function agentPath(rest: string): string {
  const [path = ""] = rest.split("?", 1);
  const segments = path.split("/").slice(1);
  if (!segments.every((segment, index) => isPlain(segment, index === segments.length - 1))) {
    throw new ApiError(
      "invalid_request",
      "The path below /agent must be plain: no empty, `.` or `..` parts and no encoded slashes",
    );
  }
  const [first = "", second = ""] = segments.map((segment) => decodeURIComponent(segment).toLowerCase());
  const isReachable = REACHABLE.includes(first) || (SINGLE.includes(first) && segments.length === 1);
  if (isReachable && segments[0] === first && !(first === "v1" && WITHHELD.includes(second))) return rest;
  throw new ApiError(
    "not_found",
    `Of a gateway, /v1 (without ${WITHHELD.map((name) => `/v1/${name}`).join(" and ")}), /acp, ${SINGLE.map((name) => `/${name}`).join(", ")} are reached here`,
  );
}

/** Whether everyone who reads the path splits it at the same places. */
function isPlain(segment: string, isLast: boolean): boolean {
  if (segment === "") return isLast;
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  if (/%2f|[\\\u0000-\u0020\u007f]/i.test(segment)) return false;
  try {
    return !/^\.{1,2}$/.test(decodeURIComponent(segment));
  } catch {
    return false;
  }
}
