import { expect, test } from "bun:test";
import { cutText } from "../../src/cut-text.ts";
import { readPage } from "../../src/http/event-page.ts";
import { world } from "./support.ts";

test("a text is cut before a character that it would halve, and is else what it was", () => {
  expect(cutText("a😀b", 2)).toBe("a");
  expect(cutText("a😀b", 3)).toBe("a😀");
  expect(cutText("a\ud83d", 5)).toBe("a\ud83d");
});

test("what is cut for a list, a title, a page or a transcript is well-formed", async () => {
  await using w = await world();
  // Of each length, one of the two begins a character where the text is cut.
  for (const odd of ["", "x"]) {
    const { id } = await w.create();
    const emoji = (count: number) => odd + "😀".repeat(count);
    await w.run(id, `text ${emoji(40_000)}`);
    await w.run(id, `update ${JSON.stringify({ sessionUpdate: "session_info_update", title: emoji(400) })}`);
    await w.run(id, `update ${JSON.stringify({ sessionUpdate: "plan", entries: [{ content: emoji(10_000) }] })}`);
    const cut = [
      JSON.stringify((await w.events(id)).filter(({ type }) => type === "prompt_queued")),
      JSON.stringify(w.manager.get(id)),
      readPage(w.log.reader({ sessionId: id, after: 0 }), { limit: 1000, full: false }),
      JSON.stringify(await w.manager.transcript(id)),
    ];
    for (const text of cut) expect(/\\u[dD][89abAB]/.exec(text)?.[0] ?? "well-formed").toBe("well-formed");
    expect(cut[2]).toContain("more characters; ask with full=true");
    expect(cut[3]).toContain("more characters]");
  }
});
