import type Dockerode from "dockerode";
import { RuntimeError, type SandboxSpec } from "../runtime.ts";
import { callEngine } from "./call-engine.ts";
import { readLogFrames } from "./log-frames.ts";
import { redact, secretsOf } from "../redact.ts";

const SAID_LENGTH_MAX = 1_000;

/**
 * Fails when the sandbox could not fetch its source on its way up. It starts all the same, with an
 * empty workspace, and says what became of the source in the first line of its own.
 * @throws RuntimeError `source_clone_failed` with what git said
 */
export async function checkSource(
  docker: Dockerode,
  { Id, State }: Dockerode.ContainerInspectInfo,
  spec: SandboxSpec,
  signal: AbortSignal,
): Promise<void> {
  const since = Math.floor(Date.parse(State.StartedAt) / 1000);
  const read = (abortSignal: AbortSignal) =>
    docker.getContainer(Id).logs({ stdout: true, stderr: true, since, abortSignal });
  const frames = [...readLogFrames(await callEngine("reading the sandbox's log", read, { signal }))];
  const textOf = (stream: "stdout" | "stderr") =>
    frames
      .filter((frame) => frame.stream === stream)
      .map(({ payload }) => payload.toString("utf8"))
      .join("");
  if (!textOf("stdout").split("\n").some(saysFailed)) return;
  const said = redact(textOf("stderr"), secretsOf(spec)).trim().slice(0, SAID_LENGTH_MAX);
  throw new RuntimeError(
    "source_clone_failed",
    `the source could not be cloned into the sandbox; check that the address is right and public. Git said: ${said || "nothing"}`,
  );
}

function saysFailed(line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line);
    return (
      typeof entry === "object" &&
      entry !== null &&
      "service" in entry &&
      entry.service === "sandbox" &&
      "source" in entry &&
      entry.source === "failed"
    );
  } catch {
    return false;
  }
}
