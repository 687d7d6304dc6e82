import { rename, rm, writeFile } from "node:fs/promises";

/** Replaces a file as a whole, readable by this user alone: whoever reads sees the old or the new, never a part. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}-${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(temporary, content, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
