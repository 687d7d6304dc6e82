import { join } from "node:path";
import { temporaryFolder } from "../../storage/support/open-log.ts";

/** Runs stream-server.ts on a log of its own. */
export async function startServer() {
  const folder = temporaryFolder();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "stream-server.ts"), folder.path], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  const url = `http://127.0.0.1:${port}`;
  let rssMax = 0;
  const memory = async (): Promise<{ rss: number; open: number }> => {
    const answer = (await (await fetch(`${url}/memory`)).json()) as { rss: number; open: number };
    rssMax = Math.max(rssMax, answer.rss);
    return answer;
  };
  return {
    port,
    memory,
    /** The highest that was seen. */
    rssMax: () => rssMax,
    events: (after: number, signal: AbortSignal) => fetch(`${url}/events?after=${after}`, { signal }),
    write: async (count: number, bytes: number): Promise<number> => {
      const answer = await fetch(`${url}/updates?count=${count}&bytes=${bytes}`, { method: "POST" });
      return ((await answer.json()) as { lastSeq: number }).lastSeq;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      folder[Symbol.dispose]();
    },
  };
}
