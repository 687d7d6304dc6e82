import { redact, secretsOf } from "../redact.ts";
import { awaitGateway } from "../await-gateway.ts";
import { RuntimeError, type SandboxSpec, type StepContext } from "../runtime.ts";
import type { ProcessEnder } from "./end-processes.ts";
import { readTail } from "./gateway-log.ts";
import type { Launcher } from "./launcher.ts";
import { readRecord, type ProcessRecord } from "./process-record.ts";
import type { ProjectFolder } from "./project-folder.ts";

const TAIL_LINES = 10;
const TAIL_LENGTH_MAX = 2_000;

export interface HealthDeps {
  launcher: Launcher;
  ender: ProcessEnder;
  timeoutMs: number;
}

/** Waits for a gateway just launched; one that does not come up is ended, so that another try begins anew. */
export function createHealthWaiter({ launcher, ender, timeoutMs }: HealthDeps) {
  return async function awaitHealthy(
    spec: SandboxSpec,
    folder: ProjectFolder,
    { report, signal }: StepContext,
  ): Promise<void> {
    const { projectId, gatewayToken: token } = spec;
    const record = await readRecord(folder.record);
    if (record === undefined || record === "unreadable" || !record.child) {
      throw new RuntimeError("not_found", "the sandbox was not started; deploy the project again");
    }
    const { child, port } = record;
    const alive = async (): Promise<string | null> => {
      if (await launcher.findChild(projectId, record)) return null;
      const exitCode = await launcher.exitCode(projectId, child.pid);
      return describeExit(spec, folder, record, exitCode);
    };
    try {
      await awaitGateway({ baseUrl: `http://127.0.0.1:${port}`, token, projectId, timeoutMs, signal, alive });
    } catch (error) {
      const isFinal = error instanceof RuntimeError && error.failure !== "timeout";
      if (isFinal) await ender.endProject(projectId, child);
      throw error;
    }
    report("healthy");
  };
}

/** @throws RuntimeError `port_conflict` when the gateway ended because its port was taken */
async function describeExit(
  spec: SandboxSpec,
  folder: ProjectFolder,
  { logOffset, port }: ProcessRecord,
  exitCode: number | null,
): Promise<string> {
  const { bytes } = await readTail(folder.log, TAIL_LINES, logOffset);
  const text = new TextDecoder().decode(bytes);
  if (/EADDRINUSE|address already in use|port \d+ in use/i.test(text)) {
    throw new RuntimeError(
      "port_conflict",
      `port ${port} of this host was taken before the gateway could listen on it`,
    );
  }
  // Redacted before it is cut, or the half of a secret could stay.
  const said = redact(text, secretsOf(spec))
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .slice(-TAIL_LENGTH_MAX)
    .trim();
  const reason = exitCode === null ? "the gateway ended" : `the gateway ended with exit code ${exitCode}`;
  return said === "" ? `${reason}; it wrote nothing` : `${reason}; its last lines:\n${said}`;
}
