import type { Runtime, Step } from "../runtimes/runtime.ts";
import { failureName, type OperationObserver } from "./operation-observer.ts";

type Observe = Pick<OperationObserver, "runtimeCall">;

/** The same runtime; each of its calls and steps is told to the observer, a step as `deploy.image`. */
export function observeRuntime(runtime: Runtime, observer: Observe): Runtime {
  const told = <Args extends unknown[]>(call: string, run: (...args: Args) => unknown) => {
    return (...args: Args): unknown => {
      const startedAt = performance.now();
      const tell = (outcome: string): void =>
        observer.runtimeCall({ runtime: runtime.name, call, outcome, ms: performance.now() - startedAt });
      return watch(() => run(...args), tell);
    };
  };
  const stepLists = Object.entries(runtime.steps).map(([list, steps]) => [
    list,
    (steps as readonly Step[]).map((step) => ({ ...step, run: told(`${list}.${step.name}`, step.run) })),
  ]);
  const steps: unknown = Object.fromEntries(stepLists);

  return new Proxy(runtime, {
    get(target, name) {
      if (name === "steps") return steps;
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || typeof name !== "string" || name === "close") return member;
      return told(name, (...args) => Reflect.apply(member, target, args) as unknown);
    },
  });
}

/** Runs a call and tells once how it ended; one that gives items has ended well with the first of them. */
function watch(run: () => unknown, tell: (outcome: string) => void): unknown {
  const fail = (error: unknown): never => {
    tell(failureName(error));
    throw error;
  };
  try {
    const result = run();
    if (result instanceof Promise) {
      return result.then((value: unknown) => {
        tell(isNo(value) ? "unavailable" : "ok");
        return value;
      }, fail);
    }
    if (isAsyncIterable(result)) return firstTold(result, tell, fail);
    tell("ok");
    return result;
  } catch (error) {
    return fail(error);
  }
}

async function* firstTold(
  items: AsyncIterable<unknown>,
  tell: (outcome: string) => void,
  fail: (error: unknown) => never,
) {
  let isTold = false;
  const tellOnce = (outcome: string): void => {
    if (!isTold) tell(outcome);
    isTold = true;
  };
  try {
    for await (const item of items) {
      tellOnce("ok");
      yield item;
    }
  } catch (error) {
    if (isTold) throw error;
    isTold = true;
    fail(error);
  } finally {
    tellOnce("ok");
  }
}

const isNo = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "ok" in value && value.ok === false;

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;
