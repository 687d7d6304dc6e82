import type { CoolifyFake } from "../../src/index.ts";

/** Waits until the condition holds; fails after a while. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await Bun.sleep(1);
  }
}

/** Lets things happen on a stepped fake until the condition holds; fails when nothing is to come any more. */
export async function stepUntil(fake: CoolifyFake, what: string, holds: () => boolean | Promise<boolean>) {
  while (!(await holds())) if (!fake.step()) throw new Error(`nothing is to come any more, but not yet: ${what}`);
}

/** A request with the token of all abilities. */
export async function request(
  fake: CoolifyFake,
  method: string,
  path: string,
  body?: unknown,
  token = fake.tokens.all,
) {
  const answer = await fetch(`${fake.url}/api/v1${path}`, {
    method,
    redirect: "manual",
    headers: { Authorization: `Bearer ${token}`, Accept: "application/json", "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type") === "application/json";
  return { status: answer.status, json: (isJson ? JSON.parse(text) : text) as Json, headers: answer.headers };
}

/** Answers are of many forms; a test says which part it expects. */
export type Json = { [key: string]: Json } & Json[] & string;

/** Waits until no deployment, deletion or change of a status is under way. */
export async function untilIdle(fake: CoolifyFake): Promise<void> {
  const passing = /^(?:running:unhealthy|starting:unknown)$/;
  await until("everything to settle", async () => {
    const { json } = await request(fake, "GET", "/deployments");
    const settled = fake.applications().every(({ status, running, deletedPending, stopPending }) => {
      return (
        !deletedPending && !stopPending && !passing.test(status) && (running !== null) === !status.startsWith("exited")
      );
    });
    return json.length === 0 && settled;
  });
}
