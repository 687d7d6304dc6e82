import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine } from "@agentpod/types";
import { CoolifyError } from "@agentpod/coolify";
import { blanker } from "../redact.ts";
import { RuntimeError, type LogOptions } from "../runtime.ts";
import { isSecretVariable } from "../sandbox-variables.ts";
import { ask, toRuntimeError } from "./coolify-error.ts";
import { requireApplication } from "./find-application.ts";
import { newLines } from "./new-lines.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { isTransient } from "./poll.ts";

/** Lines of one look: more than a sandbox writes between two of them. */
const WINDOW = 1_000;
/** Coolify gives no more. */
const LINES_MAX = 10_000;
const FAILURES_MAX = 5;
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z) ?/;

/** See `Runtime.logs`. Coolify has no log of a sandbox that is down, and follows by being asked again. */
export async function* readLogs(
  context: CoolifyRuntimeOptions,
  projectId: string,
  { tail, follow, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  try {
    const app = await requireApplication(context, projectId, signal);
    const blank = blanker(await secretsOf(context, app.uuid, signal));
    const first = await lastLines(context, app.uuid, Math.max(1, follow ? Math.max(tail, WINDOW) : tail), signal);
    if (first === null) throw new RuntimeError("not_found", "the sandbox is down, and Coolify keeps no log of it");
    if (tail > 0) yield* first.slice(-tail).map((line) => toLine(blank(line)));
    if (follow) {
      for await (const line of followFrom(context, app.uuid, first, signal)) yield toLine(blank(line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Ends when the sandbox does. */
async function* followFrom(
  context: CoolifyRuntimeOptions,
  appUuid: string,
  first: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  let before = first;
  let failed = 0;
  while (!signal.aborted) {
    // An abort is told apart at the top of the loop.
    await sleep(context.pollMs, undefined, { signal }).catch(() => undefined);
    try {
      let now = await lastLines(context, appUuid, WINDOW, signal);
      if (now !== null && now.length === WINDOW && newLines(before, now).length === now.length) {
        now = await lastLines(context, appUuid, LINES_MAX, signal);
      }
      if (now === null) return;
      yield* newLines(before, now);
      before = now;
      failed = 0;
    } catch (error) {
      failed += 1;
      if (signal.aborted || !isTransient(error) || failed >= FAILURES_MAX) throw error;
    }
  }
}

/** Null when the sandbox is down. */
async function lastLines(
  { client }: CoolifyRuntimeOptions,
  appUuid: string,
  lines: number,
  signal: AbortSignal,
): Promise<string[] | null> {
  const options = { lines: Math.min(lines, LINES_MAX), timestamps: true, signal };
  try {
    const text = await client.applicationLogs(appUuid, options);
    return text.split("\n").filter((line, index, all) => line !== "" || index < all.length - 1);
  } catch (error) {
    if (error instanceof CoolifyError && error.failure === "not_running") return null;
    throw toRuntimeError(error, "reading the log");
  }
}

/** Coolify keeps both of a sandbox's streams in one. */
function toLine(line: string): LogLine {
  const timestamp = TIMESTAMP.exec(line);
  return { stream: null, timestamp: timestamp?.[1] ?? null, message: line.slice(timestamp?.[0].length ?? 0) };
}

/** What the sandbox was given that nobody is to read in its log; nothing where the token may not see it. */
async function secretsOf({ client }: CoolifyRuntimeOptions, appUuid: string, signal: AbortSignal): Promise<string[]> {
  const variables = await ask("reading the environment", () => client.listEnvs(appUuid, { signal }));
  return variables.flatMap(({ key, value }) => (value && isSecretVariable(key) ? [value] : []));
}
