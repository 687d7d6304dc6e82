import type { Runtime } from "../../src/runtimes/runtime.ts";

/** The projects of which the runtime holds anything. */
export async function idsOf(runtime: Pick<Runtime, "list">): Promise<string[]> {
  return (await runtime.list()).map(({ projectId }) => projectId);
}
