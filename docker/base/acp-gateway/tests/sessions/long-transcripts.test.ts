import { expect, test } from "bun:test";
import { transcriptMarkdown } from "../../src/http/transcript-markdown.ts";
import { transcriptOf } from "../../src/sessions/answers.ts";
import type { EventLog } from "../../src/types.ts";
import { openLog, temporaryFolder, update, write } from "../storage/support/open-log.ts";
import { caller, world } from "./support.ts";

const MiB = 1024 * 1024;

test("a transcript stays within its size, whatever people have asked for, and says what it left out", async () => {
  await using w = await world();
  const { id } = await w.create();
  const content = Array.from({ length: 250 }, () => ({ type: "text", text: `stop\n${"y".repeat(16_000)}` }));
  for (let count = 0; count < 6; count += 1) {
    const { promptId } = await w.manager.prompt(id, { content }, { caller });
    await w.ended(id, promptId);
  }
  const { messages } = await w.manager.transcript(id);
  expect(JSON.stringify(messages).length).toBeLessThan(17 * MiB);
  const asked = messages.filter(({ role }) => role === "user");
  expect(asked.map(({ truncated = false }) => truncated)).toEqual([false, false, false, false, true, true]);
});

test("plans that replace each other take the room of one", async () => {
  await using w = await world();
  const { id } = await w.create();
  const entries = (n: number) => [{ content: `${n} ${"x".repeat(16_000)}`, status: "pending", priority: "low" }];
  const plan = (n: number) => `update ${JSON.stringify({ sessionUpdate: "plan", entries: entries(n) })}`;
  // Together more than a transcript may take.
  await w.run(id, Array.from({ length: 1100 }, (_, n) => plan(n)).join("\n"));
  const { messages } = await w.manager.transcript(id);
  expect(JSON.stringify(messages.at(-1))).toContain('"content":"1099 ');
});

test("a transcript is of what was said until it was asked for, however fast the log grows while it is read", async () => {
  using folder = temporaryFolder();
  using storage = openLog(folder.path);
  const { log } = storage;
  await write(log, update("a", "one "), update("a", "two"));
  let grown = 0;
  const growing: EventLog = {
    ...log,
    reader(options) {
      const reader = log.reader(options);
      const next = reader.next.bind(reader);
      reader.next = (maxBytes) => {
        grown += 1;
        // Read to its end it would never come there.
        if (grown < 1000) log.stage(update("a", " more"));
        return next(maxBytes);
      };
      return reader;
    },
  };
  const { messages } = await transcriptOf(growing, "a");
  expect(grown).toBeGreaterThan(0);
  expect(messages.flatMap(({ parts }) => parts)).toEqual([{ type: "text", text: "one two" }]);
});

test("a transcript to be read says where something is gone", async () => {
  await using w = await world();
  const session = await w.create({ title: "T" });
  const text = transcriptMarkdown(session, [{ role: "gap", from: 1, to: 9 }]);
  expect(text).toBe("# T\n\n> What was said here before is not kept any more.\n");
});
