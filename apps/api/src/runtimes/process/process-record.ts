import { readFile } from "node:fs/promises";
import { z } from "zod";
import { replaceFile } from "./replace-file.ts";

const ProcessRecord = z.object({
  generation: z.int(),
  /** Of all that a running child would have to be replaced for. */
  fingerprint: z.string(),
  port: z.int(),
  /** ISO 8601, UTC. */
  startedAt: z.string(),
  /** Where in the log the child's own lines begin, in bytes. */
  logOffset: z.int(),
  /** Null from before the child is spawned until it is known: whoever finds that must look for it. */
  child: z.object({ pid: z.int().positive(), identity: z.string() }).nullable(),
});

/** What is kept of a project's process, so that any later life of the API can find it. */
export type ProcessRecord = z.infer<typeof ProcessRecord>;

/** `undefined` without one; `unreadable` when what is there makes no sense. */
export async function readRecord(path: string): Promise<ProcessRecord | "unreadable" | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
  try {
    return ProcessRecord.parse(JSON.parse(text));
  } catch {
    // Cut off by a crash of the whole machine.
    return "unreadable";
  }
}

export async function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  await replaceFile(path, `${JSON.stringify(record)}\n`);
}
