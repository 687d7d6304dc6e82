import type { LogLine } from "@agentpod/types";
import { blanker } from "../redact.ts";
import { RuntimeError, type LogOptions } from "../runtime.ts";
import { isSecretVariable } from "../sandbox-variables.ts";
import { callEngine } from "./call-engine.ts";
import { toRuntimeError } from "./engine-error.ts";
import { findSandbox } from "./find-container.ts";
import { createFrameReader } from "./log-frames.ts";
import { createLineJoiner } from "./log-lines.ts";
import type { DockerContext } from "./options.ts";

/** See `Runtime.logs`. Secrets in the sandbox's environment are blanked; a reader that pauses makes the engine wait. */
export async function* readLogs(
  context: Pick<DockerContext, "docker" | "instanceId">,
  projectId: string,
  { tail, follow, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const done = new AbortController();
  const onAbort = () => done.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  const frames = createFrameReader();
  const lines = createLineJoiner();
  try {
    const found = await findSandbox(context, projectId, signal);
    if (found === null) throw new RuntimeError("not_found", "the project has no sandbox, so there is no log");
    const blank = blanker(secretsIn(found.Config.Env));
    const container = context.docker.getContainer(found.Id);
    const query = { stdout: true, stderr: true, timestamps: true, tail, abortSignal: done.signal };
    const chunks = follow
      ? await callEngine("reading the log", () => container.logs({ ...query, follow: true }), { signal })
      : [await callEngine("reading the log", () => container.logs(query), { signal })];
    for await (const chunk of chunks) {
      for (const frame of frames(Buffer.from(chunk))) {
        for (const line of lines.take(frame)) yield { ...line, message: blank(line.message) };
      }
    }
    for (const line of lines.end()) yield { ...line, message: blank(line.message) };
  } catch (error) {
    if (!signal.aborted) throw toRuntimeError(error, "reading the log", []);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Hangs up on the engine also when the reader stopped early.
    done.abort();
  }
}

/** The gateway's token, and providers' keys as they were when the sandbox was made. */
const secretsIn = (env: readonly string[]): string[] =>
  env.flatMap((entry) => {
    const [name = ""] = entry.split("=", 1);
    return isSecretVariable(name) ? [entry.slice(name.length + 1)] : [];
  });
