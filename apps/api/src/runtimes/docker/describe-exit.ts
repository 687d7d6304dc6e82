import type Dockerode from "dockerode";
import { callEngine } from "./call-engine.ts";
import { readLogFrames } from "./log-frames.ts";
import { redact } from "../redact.ts";

const TAIL_LINES = 20;
const TAIL_LENGTH_MAX = 2_000;

/** Why the sandbox is not running, with the end of what it wrote; free of the secrets. */
export async function describeExit(
  docker: Dockerode,
  { Id, State, HostConfig }: Dockerode.ContainerInspectInfo,
  secrets: readonly string[],
): Promise<string> {
  const tail = await logTail(docker, Id, secrets);
  const memoryMb = Math.round((HostConfig.Memory ?? 0) / 1024 ** 2);
  const reason = State.OOMKilled
    ? `the sandbox ended with exit code ${State.ExitCode}: it needed more than its ${memoryMb} MB of memory; choose a bigger tier`
    : `the sandbox ended with exit code ${State.ExitCode}`;
  return tail === "" ? `${reason}; it wrote nothing` : `${reason}; its last lines:\n${tail}`;
}

async function logTail(docker: Dockerode, id: string, secrets: readonly string[]): Promise<string> {
  const read = (abortSignal: AbortSignal) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, tail: TAIL_LINES, abortSignal });
  const log = await callEngine("reading the sandbox's log", read, { otherwise: { 404: Buffer.alloc(0) } });
  const text = [...readLogFrames(log)].map(({ payload }) => payload.toString("utf8")).join("");
  // Redacted before it is cut, or the half of a secret could stay.
  const clean = redact(text, secrets).replace(/[^\P{Cc}\n\t]/gu, "");
  return clean.slice(-TAIL_LENGTH_MAX).trim();
}
