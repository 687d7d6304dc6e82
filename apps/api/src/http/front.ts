import { allowOrigin, isPreflight, preflightAnswer } from "./cors.ts";
import { type Guard, originNotAllowed } from "./guard.ts";
import type { Scope } from "./principal.ts";
import { ApiError, problemResponse } from "./problem.ts";
import { createRequestIds } from "./request-id.ts";
import type { ApiEnv, ApiRouter } from "./router.ts";

type Env = ApiEnv["Bindings"];
export type Answer = (request: Request, env: Env) => Response | Promise<Response>;

/** Answers a path without routing: whole with its request id, just as the router would. It may fail. */
export interface Shortcut {
  scope: Scope;
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
  answerError: (error: unknown, requestId: string) => Response;
  /** Given the way through the router, for what a shortcut leaves to it. */
  shortcuts: (route: Answer) => Shortcuts;
}

export type Front = (request: Request, server?: Bun.Server<unknown>) => Response | Promise<Response>;

/**
 * What every request passes: request id, Host, Origin and token, then a shortcut or the router. One
 * synchronous function, because each asynchronous layer costs as much as the whole of a small answer.
 */
export function createFront(options: FrontOptions): Front {
  const { app, guard, answerError } = options;
  const requestIdOf = createRequestIds();

  const finish = (response: Response, requestId: string, origin: string | null): Response => {
    const { headers } = response;
    headers.set("x-request-id", requestId);
    headers.set("x-content-type-options", "nosniff");
    if (origin !== null && guard.allowsOrigin(origin)) allowOrigin(headers, origin);
    return response;
  };

  const fail = (error: unknown, requestId: string, origin: string | null): Response =>
    finish(answerError(error, requestId), requestId, origin);

  const route: Answer = (request, env) => {
    const { requestId } = env;
    const origin = request.headers.get("origin");
    try {
      const answer = app.fetch(request, env);
      if (!(answer instanceof Promise)) return finish(answer, requestId, origin);
      return answer.then(
        (response) => finish(response, requestId, origin),
        (error: unknown) => fail(error, requestId, origin),
      );
    } catch (error) {
      return fail(error, requestId, origin);
    }
  };

  const cut = ({ answer }: Shortcut, request: Request, env: Env): ReturnType<Answer> => {
    try {
      const answered = answer(request, env);
      if (!(answered instanceof Promise)) return answered;
      return answered.catch((error: unknown) => fail(error, env.requestId, null));
    } catch (error) {
      return fail(error, env.requestId, null);
    }
  };

  const shortcuts = options.shortcuts(route);
  const find = (method: string, path: string): Shortcut | undefined => {
    if (method === "POST") return shortcuts.POST.get(path);
    if (method !== "GET") return undefined;
    return path.startsWith(shortcuts.below.path) ? shortcuts.below : shortcuts.GET.get(path);
  };
  return (request, server) => {
    const { headers, url, method } = request;
    const requestId = requestIdOf(headers.get("x-request-id"));
    const origin = headers.get("origin");
    const principal = guard.admit(headers, origin, method);
    if (principal instanceof ApiError) return finish(problemResponse(principal, requestId), requestId, origin);

    const env: Env = { requestId, principal, server };
    if (origin === null) {
      const shortcut = find(method, url.slice(url.indexOf("/", 8)));
      if (shortcut !== undefined && principal.scopes.has(shortcut.scope)) return cut(shortcut, request, env);
    } else if (isPreflight(request)) {
      const answer = guard.allowsOrigin(origin) ? preflightAnswer() : problemResponse(originNotAllowed(), requestId);
      return finish(answer, requestId, origin);
    }
    return route(request, env);
  };
}
