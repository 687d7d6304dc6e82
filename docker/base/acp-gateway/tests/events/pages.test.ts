import { describe, expect, test } from "bun:test";
import { readPage } from "../../src/http/event-page.ts";
import type { EventLog, ReaderOptions } from "../../src/types.ts";
import { eventPage } from "../../src/wire/index.ts";
import { openLog, temporaryFolder, update, write } from "../storage/support/open-log.ts";
import { startGateway } from "../support/gateway.ts";

const page = (log: EventLog, options: ReaderOptions, limit: number) =>
  eventPage.parse(JSON.parse(readPage(log.reader(options), { limit, full: false })));

/** All events, page by page, as a client reads them. */
function pages(log: EventLog, options: Omit<ReaderOptions, "after">, limit: number) {
  const found: number[] = [];
  for (let after = 0, count = 0; count < 100; count += 1) {
    const { events, after: next, more } = page(log, { ...options, after }, limit);
    found.push(...events.filter(({ type }) => type !== "gap").map(({ seq }) => seq));
    if (!more) return found;
    after = next;
  }
  throw new Error("the pages have no end");
}

describe("pages of events", () => {
  test("come to the end, one event at a time, also past what retention has removed", async () => {
    using folder = temporaryFolder();
    const retention = { bytes: 1e9, sessionBytes: 300_000, days: 0 };
    const first = openLog(folder.path, { retention });
    for (let count = 0; count < 20; count += 1) await write(first.log, update("a", "x".repeat(50_000)));
    first.log.close();
    using second = openLog(folder.path, { retention });
    expect(page(second.log, { after: 0 }, 1).events[0]?.type).toBe("gap");
    const left = pages(second.log, { sessionId: "a" }, 1);
    expect(left.at(-1)).toBe(20);
    expect(left.length).toBeLessThan(20);
    expect(pages(second.log, {}, 1)).toEqual(left);
  });

  test("find what is asked for behind much that is not", async () => {
    using folder = temporaryFolder();
    using storage = openLog(folder.path);
    for (let count = 0; count < 50; count += 1) await write(storage.log, update("a", "x".repeat(100_000)));
    await write(storage.log, { sessionId: "a", type: "rare", promptId: null, members: '"data":{}' });
    expect(pages(storage.log, { sessionId: "a", types: new Set(["rare"]) }, 10)).toEqual([51]);
  });
});

test("a page that waits is answered with the first event asked for, whatever else comes before", async () => {
  await using gateway = await startGateway();
  const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
  await gateway.post(`/v1/sessions/${id}/prompt`, { text: "say 10 30" });
  const path = `/v1/sessions/${id}/events?types=prompt_finished&wait=20`;
  const answer = await gateway.get(path, { headers: { accept: "application/json" } });
  expect(eventPage.parse(await answer.json()).events.map(({ type }) => type)).toEqual(["prompt_finished"]);
  const now = `/v1/sessions/${id}/events?types=prompt_finished&after=latest&wait=1`;
  const none = await gateway.get(now, { headers: { accept: "application/json" } });
  expect(eventPage.parse(await none.json())).toMatchObject({ events: [], more: false });
});
