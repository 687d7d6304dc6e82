import type { Operation, Project, ProjectStatusReport } from "@agentpod/types";
import { type ApiProcess, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";

/** The fields of the answers that are looked at. */
export interface Answer {
  status: number;
  body: Partial<{
    project: Project;
    projects: Project[];
    operation: Operation | null;
    drift: { projectId: string; kind: string; message: string }[];
    error: string | null;
    code: string;
  }> &
    Partial<Pick<ProjectStatusReport, "desiredState">>;
}

const entry = "apps/api/tests/chaos/entry.ts";
const startsMax = 40;

/** The API as a process that may be killed at any time and is then started again, as a supervisor would. */
export function createRestartableApi(env: Readonly<Record<string, string>>) {
  const dataDir = newDataDir();
  const outputs: string[] = [];
  let api: ApiProcess | undefined;

  async function start(): Promise<void> {
    for (let starts = 1; ; starts += 1) {
      try {
        api = await startApi({ env: { ...env }, dataDir, entry });
        return;
      } catch (error) {
        outputs.push(String(error));
        if (starts === startsMax) throw error;
        await Bun.sleep(100);
      }
    }
  }

  return {
    dataDir,
    start,

    async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
      if (api === undefined) return;
      await api.end(signal);
      outputs.push(api.output());
      api = undefined;
    },

    /** Null when the answer was lost. */
    async call(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<Answer | null> {
      if (api === undefined) return null;
      try {
        const response = await fetch(`${api.url}${path}`, {
          method,
          headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(20_000),
        });
        const text = await response.text();
        return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Answer["body"]) };
      } catch {
        return null;
      }
    },

    /** What all its lives wrote. */
    output: (): string => [...outputs, api?.output() ?? ""].join("\n--- next start\n"),

    async close(): Promise<void> {
      await this.kill("SIGKILL");
      removeDataDir(dataDir);
    },
  };
}

export type RestartableApi = ReturnType<typeof createRestartableApi>;
