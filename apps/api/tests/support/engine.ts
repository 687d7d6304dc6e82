import { describe, setDefaultTimeout } from "bun:test";

const pingTimeoutMs = 3_000;
const engineTestTimeoutMs = 120_000;

/** Where these tests look for a Docker engine, as DOCKER_HOST would say it. */
export const engineHost = process.env["DOCKER_HOST"] || "unix:///var/run/docker.sock";

/** Why no engine can be used; undefined when one answers. */
export const engineMissing = await whyNoEngine(engineHost);

/** A `describe` whose tests need a Docker engine: skipped, with the reason, where none answers. */
export function describeWithEngine(name: string, tests: () => void): void {
  if (!engineMissing) setDefaultTimeout(engineTestTimeoutMs);
  describeUnless(engineMissing, name, tests);
}

/**
 * A `describe` that is skipped for a reason. The reason goes into the name, where the test runner
 * finds it and lists it.
 * @param reason why the tests cannot run here; undefined runs them
 */
export function describeUnless(reason: string | undefined, name: string, tests: () => void): void {
  if (reason === undefined) describe(name, tests);
  else describe.skip(`${name} [skipped: ${reason}]`, tests);
}

async function whyNoEngine(host: string): Promise<string | undefined> {
  const unix = /^unix:\/\/(.+)$/.exec(host)?.[1];
  const signal = AbortSignal.timeout(pingTimeoutMs);
  try {
    const answer = unix
      ? await fetch("http://engine/_ping", { unix, signal })
      : await fetch(new URL("/_ping", host.replace(/^tcp:/, "http:")), { signal });
    return answer.ok ? undefined : `the Docker engine at ${host} answers ${answer.status}`;
  } catch {
    return `no Docker engine answers at ${host}`;
  }
}
