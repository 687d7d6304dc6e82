import { describe, expect, test } from "bun:test";
import { RuntimeError, type Step } from "../../src/runtimes/runtime.ts";
import { observeRuntime } from "../../src/services/observe-runtime.ts";
import { createStandInRuntime } from "../support/stand-in-runtime.ts";

function start() {
  const runtime = createStandInRuntime();
  const calls: string[] = [];
  const observed = observeRuntime(runtime, {
    runtimeCall: ({ runtime: name, call, outcome, ms }) => {
      expect(ms).toBeGreaterThanOrEqual(0);
      calls.push(`${name} ${call} ${outcome}`);
    },
  });
  return { runtime, observed, calls };
}

const context = { report: () => undefined, signal: new AbortController().signal };

describe("an observed runtime", () => {
  test("does what the runtime does, and tells of each call how it ended", async () => {
    const { runtime, observed, calls } = start();
    const [step] = observed.steps.stop;
    await step?.run({ projectId: "p" }, context);
    expect(await observed.inspect("p")).toMatchObject({ state: "exited" });
    expect(await observed.list()).toHaveLength(1);
    expect((await observed.probe()).ok).toBe(true);
    runtime.reachable = false;
    expect((await observed.probe()).ok).toBe(false);
    await observed.sweep("p");
    expect(observed.capabilities).toBe(runtime.capabilities);
    expect(calls).toEqual([
      "docker stop.stop ok",
      "docker inspect ok",
      "docker list ok",
      "docker probe ok",
      "docker probe unavailable",
      "docker sweep ok",
    ]);
  });

  test("tells why a step failed by its failure's name alone", async () => {
    const { runtime } = start();
    const failures = [new RuntimeError("image_unavailable", "secret"), new TypeError("secret"), abortError()];
    const failWith = (error: Error) => async () => {
      throw error;
    };
    const steps = failures.map((error, n): Step => ({ name: `s${n}`, run: failWith(error) }));
    const calls: string[] = [];
    const observed = observeRuntime(
      { ...runtime, steps: { ...runtime.steps, deploy: steps } },
      { runtimeCall: ({ call, outcome }) => void calls.push(`${call} ${outcome}`) },
    );
    for (const [n, step] of observed.steps.deploy.entries()) {
      const run: unknown = Reflect.apply(step.run, undefined, [{ projectId: "p" }, context]);
      expect(run).rejects.toBe(failures[n]);
      await Promise.allSettled([run]);
    }
    expect(calls).toEqual(["deploy.s0 image_unavailable", "deploy.s1 error", "deploy.s2 aborted"]);
  });

  test("tells of a log once, with its first line", async () => {
    const { observed, calls } = start();
    const options = { tail: 10, follow: false, signal: context.signal };
    const lines = await Array.fromAsync(observed.logs("p", options));
    expect(lines).toMatchObject([{ message: "hello" }]);
    expect(calls).toEqual(["docker logs ok"]);
  });
});

function abortError(): Error {
  const gone = new AbortController();
  gone.abort();
  return gone.signal.reason as Error;
}
