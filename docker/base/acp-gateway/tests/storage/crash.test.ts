import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { drain, openLog, temporaryFolder, texts } from "./support/open-log.ts";

const WRITER = join(import.meta.dir, "support/writer.ts");

/** Lets a process write for a while, kills it, and gives the lines it got out: `session seq text`. */
async function writeAndKill(folder: string, run: number, synchronous: string): Promise<string[]> {
  const child = Bun.spawn([process.execPath, WRITER, folder, String(run), synchronous], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const decoder = new TextDecoder();
  let text = "";
  let isKilled = false;
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    // At another place of another commit in each run.
    if (!isKilled && text.length > 400_000 + run * 137_000) {
      child.kill("SIGKILL");
      isKilled = true;
    }
  }
  await child.exited;
  return text.split("\n").slice(0, -1);
}

describe("a process that is killed in the middle of its commits", () => {
  for (const synchronous of ["normal", "off"]) {
    test(`loses and doubles no event that it told of (synchronous ${synchronous})`, async () => {
      using folder = temporaryFolder();
      const told: string[] = [];
      for (let run = 1; run <= 4; run += 1) told.push(...(await writeAndKill(folder.path, run, synchronous)));
      expect(told.length).toBeGreaterThan(10_000);

      using storage = openLog(folder.path);
      const events = drain(storage.log.reader({ after: 0 }));
      expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
      expect(storage.log.lastSeq()).toBe(events.length);
      const names = texts(events).map((text) => text.split(" ")[0]);
      const stored = new Map(
        events.map(({ id, data }, index) => [id, `${String(data["sessionId"])} ${id} ${names[index]}`]),
      );
      for (const line of told) {
        const seq = Number(line.split(" ")[1]);
        if (stored.get(seq) !== line) throw new Error(`told: ${line}, stored: ${stored.get(seq)}`);
      }
      for (const sessionId of ["ses_0", "ses_1", "ses_2"]) {
        const own = drain(storage.log.reader({ sessionId, after: 0 }));
        expect(own).toEqual(events.filter(({ data }) => data["sessionId"] === sessionId));
      }
    }, 60_000);
  }

  test("leaves events and other tables of one commit together", async () => {
    using folder = temporaryFolder();
    await writeAndKill(folder.path, 1, "normal");
    const db = new Database(join(folder.path, "log/gateway.sqlite"));
    const meta = db.query<{ value: string }, []>("SELECT value FROM meta WHERE name = 'batches'").get()?.value ?? "";
    db.close();
    using storage = openLog(folder.path);
    const names = texts(drain(storage.log.reader({ after: 0 }))).map((text) => text.split(" ")[0] ?? "");
    const last = names.map((name) => Number(name.split(".")[1])).reduce((a, b) => Math.max(a, b));
    const ofLast = names.filter((name) => name.startsWith(`1.${last}.`));
    expect(meta).toBe(`1.${last} ${ofLast.length}`);
    expect(ofLast).toHaveLength(1 + (last % 200));
  }, 30_000);
});
