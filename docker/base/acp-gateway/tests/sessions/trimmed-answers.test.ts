import { expect, test } from "bun:test";
import { answerOf } from "../../src/sessions/answers.ts";
import { promptAnswer } from "../../src/wire/index.ts";
import { openLog, temporaryFolder, update, write } from "../storage/support/open-log.ts";
import { prompt } from "../storage/support/records.ts";
import { caller, world } from "./support.ts";

const KiB = 1024;

test("the answer of a prompt whose events are gone, all or in part, says so, and no other one does", async () => {
  using folder = temporaryFolder();
  const retention = { bytes: 2 ** 40, sessionBytes: 100 * KiB, days: 0 };
  using storage = openLog(folder.path, { retention, limits: { tailBytes: 1 } });
  const { log } = storage;
  const event = (promptId: string, type: string) => ({ sessionId: "ses_1", type, promptId, members: '"data":{}' });

  async function turn(promptId: string, kibibytes: number) {
    const [seq = 0] = await write(log, event(promptId, "prompt_queued"));
    await write(log, event(promptId, "prompt_started"));
    for (let count = 0; count < kibibytes; count += 1) {
      await write(log, update("ses_1", "x".repeat(KiB), promptId));
    }
    await write(log, event(promptId, "prompt_finished"));
    return { ...prompt("ses_1", promptId, "finished"), seq, startedAt: "2026-11-23T10:00:00.000Z" };
  }
  const gone = await turn("prm_1", 20);
  const refused = { ...prompt("ses_1", "prm_2", "cancelled"), seq: gone.seq };
  const partly = await turn("prm_3", 150);
  const whole = await turn("prm_4", 10);

  expect(await answerOf(log, gone)).toMatchObject({ text: "", toolCalls: [], truncated: true });
  const rest = await answerOf(log, partly);
  expect(rest.truncated).toBe(true);
  expect(rest.text.length).toBeGreaterThan(10 * KiB);
  expect(rest.text.length).toBeLessThan(150 * KiB);
  const last = await answerOf(log, whole);
  expect(last.text).toHaveLength(10 * KiB);
  // What was never started, or was asked before a gap and began behind it, is whole.
  for (const one of [last, await answerOf(log, { ...whole, seq: gone.seq }), await answerOf(log, refused)]) {
    expect(one).not.toHaveProperty("truncated");
  }
});

test("an answer that was cut for its length says so", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId } = await w.manager.prompt(id, { text: "flood 400 50000" }, { caller });
  const answer = promptAnswer.parse(await w.ended(id, promptId));
  expect(answer.truncated).toBe(true);
  expect(answer.text.length).toBeLessThan(17 * KiB * KiB);
  const short = await w.run(id, "text short");
  expect(short).not.toHaveProperty("truncated");
}, 30_000);
