import type { LogLine } from "@agentpod/types";
import { RuntimeError, type LogOptions } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { toRuntimeError } from "./engine-error.ts";
import { findSandbox } from "./find-container.ts";
import { createFrameReader } from "./log-frames.ts";
import { createLineJoiner } from "./log-lines.ts";
import type { DockerContext } from "./options.ts";

const TOKEN_VARIABLE = "AGENTPOD_GATEWAY_TOKEN=";

/** See `Runtime.logs`. The gateway's token is blanked; a reader that pauses makes the engine wait. */
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
    const blank = tokenBlanker(found.Config.Env);
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

function tokenBlanker(env: readonly string[]): (text: string) => string {
  const token = env.find((entry) => entry.startsWith(TOKEN_VARIABLE))?.slice(TOKEN_VARIABLE.length);
  return token ? (text) => text.replaceAll(token, "[redacted]") : (text) => text;
}
