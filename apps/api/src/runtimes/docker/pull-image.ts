import { parseImageReference } from "@agentpod/oci";
import { RuntimeError, type StepContext } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { toRuntimeError } from "./engine-error.ts";
import type { DockerRuntimeOptions } from "./options.ts";
import { createPullProgress, PullMessage } from "./pull-progress.ts";
import { redact } from "../redact.ts";
import { throttle } from "./throttle.ts";

const REPORT_EVERY_MS = 250;
/** A registry may take its time to answer, and the engine to unpack. */
const SILENCE_MS_MAX = 10 * 60_000;
const TRANSIENT = /timeout|TLS handshake|connection reset|unexpected EOF|too ?many ?requests|\b(429|50[0234])\b/i;

/**
 * Pulls an image, with `pulling` events of bytes and layers on the way.
 * @throws RuntimeError `image_unavailable` when the registry does not give it; `unavailable` when it may later
 */
export async function pullImage(
  { docker, credentials }: Pick<DockerRuntimeOptions, "docker" | "credentials">,
  imageRef: string,
  { report, signal }: StepContext,
): Promise<void> {
  const login = loginFor(imageRef, credentials);
  const secrets = login === undefined ? [] : [login.authconfig.password];
  const progress = createPullProgress();
  const reportNow = () => report("pulling", { imageRef, ...progress.sum() });
  const reportSometimes = throttle(REPORT_EVERY_MS, reportNow);
  const done = new AbortController();
  const onAbort = () => done.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  let silence = setTimeout(onAbort, SILENCE_MS_MAX);
  try {
    // The answer begins once the registry was asked, so the engine's own time limits apply.
    const pull = (): Promise<unknown> => docker.pull(imageRef, { abortSignal: done.signal, ...login });
    const stream = await callEngine("pulling", pull, { signal, timeoutMs: SILENCE_MS_MAX });
    for await (const message of readMessages(stream)) {
      clearTimeout(silence);
      silence = setTimeout(onAbort, SILENCE_MS_MAX);
      if (message.error !== undefined) throw refused(imageRef, message.error, secrets);
      if (progress.take(message)) reportSometimes();
    }
    reportNow();
  } catch (error) {
    if (signal.aborted) throw new RuntimeError("timeout", `pulling ${imageRef}: broken off`);
    if (done.signal.aborted) throw new RuntimeError("timeout", `pulling ${imageRef}: no progress for too long`);
    const failure = toRuntimeError(error, "pulling", secrets);
    const isAnswer =
      failure instanceof RuntimeError && (failure.failure === "rejected" || failure.failure === "not_found");
    throw isAnswer ? refused(imageRef, failure.message.replace(/^pulling: /, ""), secrets) : failure;
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", onAbort);
    // The engine goes on pulling while somebody listens.
    done.abort();
  }
}

function loginFor(imageRef: string, credentials: DockerRuntimeOptions["credentials"]) {
  if (credentials === undefined) return undefined;
  try {
    const { host } = parseImageReference(imageRef);
    const found = credentials(host);
    return found === null ? undefined : { authconfig: { ...found, serveraddress: host } };
  } catch {
    // The engine refuses such a name, and says why.
    return undefined;
  }
}

function refused(imageRef: string, reason: string, secrets: readonly string[]): RuntimeError {
  const failure = TRANSIENT.test(reason) ? "unavailable" : "image_unavailable";
  return new RuntimeError(failure, `the image ${imageRef} cannot be pulled: ${redact(reason, secrets)}`);
}

async function* readMessages(stream: unknown): AsyncGenerator<PullMessage> {
  if (!isByteStream(stream)) return;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((text) => text.trim() !== "")) yield PullMessage.parse(JSON.parse(line));
  }
}

function isByteStream(stream: unknown): stream is AsyncIterable<Uint8Array> {
  return typeof stream === "object" && stream !== null && Symbol.asyncIterator in stream;
}
