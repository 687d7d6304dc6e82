import type { AgentEntry, RawAgent, StartAgent } from "../types.ts";
import type { createLauncher } from "./launcher.ts";

type RawAgentOptions = {
  launcher: ReturnType<typeof createLauncher>;
  entry: AgentEntry;
  options: StartAgent;
  handlers: { onLine: (line: string) => void };
};

/** A process of an agent whose lines are handed on unread. */
export async function startRawAgent({ launcher, entry, options, handlers }: RawAgentOptions): Promise<RawAgent> {
  function readBlock(block: string): void {
    let start = 0;
    for (let end = block.indexOf("\n"); end >= 0; end = block.indexOf("\n", start)) {
      handlers.onLine(block.slice(start, end));
      start = end + 1;
    }
  }

  const { process } = await launcher.launch(entry, options, readBlock);
  return {
    pid: process.pid,
    write: (line) => process.send(line),
    pause: () => process.pause(),
    resume: () => process.resume(),
    exited: process.exited,
    stop: () => process.stop(),
  };
}
