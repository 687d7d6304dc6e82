import { SESSION_SECONDS } from "./sessions.ts";

/** The session a request carries, if any. */
export function sessionOf(request: Request): string | undefined {
  return new Bun.CookieMap(request.headers.get("cookie") ?? "").get(nameFor(request)) ?? undefined;
}

/** The header that gives a session to the browser; with `undefined` the one that takes it away. */
export function setSession(request: Request, id: string | undefined): string {
  return new Bun.Cookie(nameFor(request), id ?? "", {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: request.headers.get("x-forwarded-proto") === "https",
    maxAge: id === undefined ? 0 : SESSION_SECONDS,
  }).toString();
}

/** Cookies do not tell ports apart, and the sandboxes of one machine differ in nothing else. */
function nameFor(request: Request): string {
  const port = /:(\d+)$/.exec(request.headers.get("host") ?? "")?.[1];
  return port === undefined ? "agentpod-gui" : `agentpod-gui-${port}`;
}
