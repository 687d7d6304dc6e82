const SECONDS_MAX = 3600;
const READ_MS = 30_000;
/** An agent that starts and loads its session may take so long. */
const CHANGE_MS = 150_000;
/** As long as npm may take. */
const INSTALL_MS = 960_000;

/** How long the head of a gateway's answer may take, in milliseconds, by what is asked for. */
export function headTimeoutMs(method: string, path: string, prefer: string | null): number {
  const [place = "", query = ""] = path.split("?", 2);
  const asked = [/(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})/i.exec(prefer ?? "")?.[1], new URLSearchParams(query).get("wait")];
  const seconds = Math.max(0, ...asked.map(Number).filter(Number.isFinite));
  return usualMs(method, place) + Math.min(seconds, SECONDS_MAX) * 1000;
}

function usualMs(method: string, place: string): number {
  if (method === "GET" || method === "HEAD") return READ_MS;
  return /^\/v1\/agents\/[^/]+\/install$/.test(place) ? INSTALL_MS : CHANGE_MS;
}
