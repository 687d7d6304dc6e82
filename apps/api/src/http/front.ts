import { allowOrigin, isPreflight, preflightAnswer } from "./cors.ts";
import { type Guard, originNotAllowed } from "./guard.ts";
import type { RouteLabel } from "../services/metrics/requests.ts";
import type { LegacyNotice } from "./legacy-notice.ts";
import { ANONYMOUS, type Scope } from "./principal.ts";
import { ApiError, problemResponse } from "./problem.ts";
import { createRequestIds } from "./request-id.ts";
import type { RequestObserver } from "./request-observer.ts";
import type { ApiEnv, ApiRouter } from "./router.ts";
import type { Server } from "./sockets.ts";
import type { Tickets } from "./tickets.ts";

type Env = ApiEnv["Bindings"];
export type Answer = (request: Request, env: Env) => Response | Promise<Response>;

/** Answers a path without routing: whole with its request id, just as the router would. It may fail. */
export interface Shortcut {
  scope: Scope;
  /** The route whose answers it gives. */
  route: RouteLabel;
  answer: Answer;
}

export interface Shortcuts {
  /** By exact path, without a query. */
  GET: ReadonlyMap<string, Shortcut>;
  POST: ReadonlyMap<string, Shortcut>;
  /** For GET of whatever is below the path. */
  below: Shortcut & { path: string };
}

export interface FrontOptions {
  app: ApiRouter;
  guard: Guard;
  tickets: Pick<Tickets, "redeem">;
  answerError: (error: unknown, requestId: string) => Response;
  /** Is told of each answer, once. */
  observe: RequestObserver;
  /** Tells callers that what they used goes away. */
  legacyNotice: LegacyNotice;
  /** Given the way through the router, for what a shortcut leaves to it. */
  shortcuts: (route: Answer) => Shortcuts;
}

export type Front = (request: Request, server?: Server) => Response | Promise<Response>;

/** What no route took: an unknown path, another method, or who may not call at all. */
const UNMATCHED: RouteLabel = { pattern: "unmatched", writes: false };

/** Reading the clock twice costs a tenth of a short answer, so of those to GET only each 16th is timed. */
const TIMED_OF_SHORT = 16;

/**
 * What every request passes: request id, Host, Origin and token, then a shortcut or the router. One
 * synchronous function, because each asynchronous layer costs as much as the whole of a small answer.
 */
export function createFront(options: FrontOptions): Front {
  const { app, guard, tickets, answerError, observe, legacyNotice } = options;
  const requestIdOf = createRequestIds();

  const finish = (response: Response, requestId: string, origin: string | null): Response => {
    const { headers } = response;
    headers.set("x-request-id", requestId);
    headers.set("x-content-type-options", "nosniff");
    if (origin !== null && guard.allowsOrigin(origin)) allowOrigin(headers, origin);
    return response;
  };

  const route: Answer = (request, env) => {
    env.route = UNMATCHED;
    const origin = request.headers.get("origin");
    const end = (response: Response): Response => {
      if (env.isLegacy === true) legacyNotice(request, env, response);
      return finish(response, env.requestId, origin);
    };
    const fail = (error: unknown): Response => end(answerError(error, env.requestId));
    try {
      const answer = app.fetch(request, env);
      return answer instanceof Promise ? answer.then(end, fail) : end(answer);
    } catch (error) {
      return fail(error);
    }
  };

  const routed = (request: Request, env: Env, startedAt: number): ReturnType<Answer> => {
    const end = (response: Response): Response => {
      observe(env, env.route ?? UNMATCHED, request.method, response.status, startedAt);
      return response;
    };
    const answer = route(request, env);
    return answer instanceof Promise ? answer.then(end) : end(answer);
  };

  const cut = (shortcut: Shortcut, request: Request, env: Env, startedAt: number | undefined): ReturnType<Answer> => {
    let answer: ReturnType<Answer>;
    try {
      answer = shortcut.answer(request, env);
    } catch (error) {
      answer = finish(answerError(error, env.requestId), env.requestId, null);
    }
    if (answer instanceof Promise) return cutLater(answer, shortcut, request, env, startedAt);
    // What it left to the router has the label of the route that took it.
    observe(env, env.route ?? shortcut.route, request.method, answer.status, startedAt);
    return answer;
  };

  /** On its own, because functions made for each request are felt where there is nothing to wait for. */
  const cutLater = (
    answer: Promise<Response>,
    shortcut: Shortcut,
    request: Request,
    env: Env,
    startedAt: number | undefined,
  ): Promise<Response> => {
    const { method } = request;
    const end = (response: Response): Response => {
      observe(env, env.route ?? shortcut.route, method, response.status, startedAt);
      return response;
    };
    return answer.then(end, (error: unknown) => end(finish(answerError(error, env.requestId), env.requestId, null)));
  };

  /** Answers what goes no further, which took no time. */
  const turnAway = (response: Response, env: Env, { method, headers }: Request): Response => {
    observe(env, UNMATCHED, method, response.status, undefined);
    return finish(response, env.requestId, headers.get("origin"));
  };

  const shortcuts = options.shortcuts(route);
  const find = (method: string, path: string): Shortcut | undefined => {
    if (method === "POST") return shortcuts.POST.get(path);
    if (method !== "GET") return undefined;
    return path.startsWith(shortcuts.below.path) ? shortcuts.below : shortcuts.GET.get(path);
  };
  let untimed = TIMED_OF_SHORT;
  const isTimed = (method: string): boolean => {
    untimed += 1;
    if (untimed < TIMED_OF_SHORT && method === "GET") return false;
    untimed = 0;
    return true;
  };

  return (request, server) => {
    const { headers, url, method } = request;
    const requestId = requestIdOf(headers.get("x-request-id"));
    const origin = headers.get("origin");
    let principal = guard.admit(headers, origin, method);
    if (principal === ANONYMOUS && method === "GET" && !headers.has("authorization")) {
      principal = tickets.redeem(url.slice(url.indexOf("/", 8))) ?? ANONYMOUS;
    }
    if (principal instanceof ApiError) {
      const env = { requestId, principal: ANONYMOUS, server };
      return turnAway(problemResponse(principal, requestId), env, request);
    }

    const env: Env = { requestId, principal, server };
    if (origin === null) {
      const shortcut = find(method, url.slice(url.indexOf("/", 8)));
      if (shortcut !== undefined && principal.scopes.has(shortcut.scope)) {
        return cut(shortcut, request, env, isTimed(method) ? performance.now() : undefined);
      }
    } else if (isPreflight(request)) {
      const answer = guard.allowsOrigin(origin) ? preflightAnswer() : problemResponse(originNotAllowed(), requestId);
      return turnAway(answer, env, request);
    }
    return routed(request, env, performance.now());
  };
}
