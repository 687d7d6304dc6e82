import type { Answer } from "./front.ts";
import type { Memo } from "./memo.ts";

const BODY_BYTES_MAX = 1024;

/** Repeats the answer to a small JSON body that came in the same bytes. It must follow from them alone. */
export function memoByBody(memo: Memo, route: Answer): Answer {
  return (request, env) => {
    const { headers } = request;
    const length = Number(headers.get("content-length") ?? Infinity);
    if (headers.get("content-type") !== "application/json" || !(length <= BODY_BYTES_MAX)) return route(request, env);
    const answer = (bytes: ArrayBuffer): Response | Promise<Response> => {
      const body = Buffer.from(bytes);
      const key = body.toString("latin1");
      const known = memo.answer(key, env.requestId);
      return known ?? memo.keep(key, env.requestId, () => route(request, { ...env, body }));
    };
    // A body that does not arrive whole fails again, and properly, on its way through the router.
    return request.arrayBuffer().then(answer, () => route(request, env));
  };
}

/** Repeats the answer for one thing of a collection, such as `/api/projects/x` of `/api/projects/`. */
export function memoByPath(memo: Memo, collection: string, route: Answer): Answer {
  return (request, env) => {
    const path = request.url.slice(request.url.indexOf("/", 8));
    const known = memo.answer(path, env.requestId);
    if (known !== undefined) return known;
    const isOne = path.length > collection.length && !/[/?]/.test(path.slice(collection.length));
    return isOne ? memo.keep(path, env.requestId, () => route(request, env)) : route(request, env);
  };
}
