import { describe, expect, test } from "bun:test";
import { CoolifyError, coolifyFailures, type CoolifyFailure } from "@agentpod/coolify";
import { toRuntimeError } from "../../src/runtimes/coolify/coolify-error.ts";
import { failedDeployment } from "../../src/runtimes/coolify/deployment-error.ts";
import { RuntimeError, type RuntimeFailure } from "../../src/runtimes/runtime.ts";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";

function mapped(error: CoolifyError, secrets: readonly string[] = []): RuntimeError {
  const found = toRuntimeError(error, "doing it", secrets);
  if (found instanceof RuntimeError) return found;
  throw new Error("no RuntimeError");
}

describe("what Coolify fails with", () => {
  test("is one of the runtime's failures, and what may pass is tried again", () => {
    const expected: Record<CoolifyFailure, RuntimeFailure> = {
      unreachable: "unavailable",
      timeout: "timeout",
      aborted: "timeout",
      unauthenticated: "unavailable",
      missing_ability: "unavailable",
      api_disabled: "unavailable",
      address_not_allowed: "unavailable",
      forbidden: "unavailable",
      not_found: "not_found",
      method_changed: "rejected",
      already_exists: "rejected",
      domain_conflict: "rejected",
      invalid_request: "rejected",
      not_running: "not_found",
      not_cancellable: "rejected",
      queue_full: "unavailable",
      rate_limited: "unavailable",
      server_error: "unavailable",
      unexpected_response: "unavailable",
      unsafe_value: "rejected",
    };
    for (const failure of coolifyFailures) {
      expect(mapped(new CoolifyError(failure, "why")).failure).toBe(expected[failure]);
    }
  });

  test("keeps how long Coolify asked to be left alone", () => {
    expect(mapped(new CoolifyError("rate_limited", "why", { retryAfterMs: 17_000 })).retryAfterMs).toBe(17_000);
    expect(mapped(new CoolifyError("queue_full", "why")).retryAfterMs).toBe(60_000);
    expect(mapped(new CoolifyError("server_error", "why")).retryAfterMs).toBeUndefined();
  });

  test("says nothing secret", () => {
    const secrets = ["sk-very-secret"];
    const error = mapped(new CoolifyError("invalid_request", "bad: sk-very-secret"), secrets);
    expect(error.message).toBe("doing it: bad: [redacted]");
    expect(error.cause).toBeUndefined();
  });

  test("is a bug and stays as it is when it is none of Coolify's", () => {
    const bug = new TypeError("oops");
    expect(toRuntimeError(bug, "doing it")).toBe(bug);
  });
});

describe("the line in which Coolify says why a deployment failed", () => {
  const daemon = "Error response from daemon:";
  const lines: readonly (readonly [string, RuntimeFailure])[] = [
    ["Server is not functional.", "unavailable"],
    [`${daemon} Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused`, "unavailable"],
    [`${daemon} toomanyrequests: You have reached your pull rate limit.`, "unavailable"],
    [`${daemon} manifest for a/b:nope not found: manifest unknown: manifest unknown`, "image_unavailable"],
    [
      `${daemon} pull access denied for a/b, repository does not exist or may require 'docker login'`,
      "image_unavailable",
    ],
    [`${daemon} Head "https://r/v2/a/manifests/1": unauthorized`, "image_unavailable"],
    [`${daemon} could not select device driver "nvidia" with capabilities: [[gpu]]`, "rejected"],
    [`${daemon} Minimum memory limit allowed is 6MB`, "rejected"],
    [`${daemon} Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available`, "rejected"],
    [`${daemon} failed to create shim task: OCI runtime create failed: permission denied: unknown`, "rejected"],
    ["New container is unhealthy.", "not_healthy"],
    ["Something new", "rejected"],
  ];

  test("decides on the failure and is told", () => {
    const spec = coolifySpec();
    for (const [line, failure] of lines) {
      const error = failedDeployment(line, { spec, secrets: [] });
      expect([line, error.failure]).toEqual([line, failure]);
      expect(error.message).toContain(line.replace(/\.$/, ""));
    }
  });

  test("is told without the sandbox's secrets", () => {
    const spec = coolifySpec();
    const error = failedDeployment(`bad line: KEY=sk-very-secret-value`, { spec, secrets: ["sk-very-secret-value"] });
    expect(error.message).toContain("KEY=[redacted]");
  });
});

describe("a Coolify that refuses in the middle", () => {
  test("because its API was disabled says so, and is asked again", async () => {
    const { fake, runtime, run, persist, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    const enable = fake.faults.add({ kind: "api_disabled" });
    const error = await failureOf(run(runtime.steps.deploy, spec));
    expect(error).toMatchObject({ failure: "unavailable", message: expect.stringContaining("Enable the API") });
    expect(await runtime.probe()).toMatchObject({ ok: false, message: expect.stringContaining("Enable the API") });
    enable();
    await persist(runtime.steps.deploy, spec);
    expect(onlyApplication().running).not.toBeNull();
  });

  test("within its rate limit is waited for", async () => {
    const { fake, runtime, run, onlyApplication } = await coolifyWorld();
    fake.faults.add({ kind: "rate_limited", times: 3, ms: 1_000 });
    await run(runtime.steps.deploy, coolifySpec());
    expect(onlyApplication().running).not.toBeNull();
  });

  test("beyond what a call waits fails with the time to wait", async () => {
    const { fake, runtime, run } = await coolifyWorld({ client: { throttleMsMax: 1_000 } });
    fake.faults.add({ kind: "rate_limited", ms: 40_000, times: 1 });
    const error = await failureOf(run(runtime.steps.deploy, coolifySpec()));
    expect(error).toMatchObject({ failure: "unavailable", retryAfterMs: 40_000 });
  });
});
