import { afterEach, describe, expect, test } from "bun:test";
import { createProjects } from "../support/projects.ts";

type World = Awaited<ReturnType<typeof createProjects>>;
let world: World | undefined;

/** One at a time what the log gives in arrays. */
async function* follow({ events }: World, options: Parameters<World["events"]["follow"]>[0]) {
  for await (const entries of events.follow(options)) yield* entries;
}

async function start(): Promise<World> {
  world = await createProjects();
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe("the event log", () => {
  test("gives a reader everything once and in order while much is appended", async () => {
    const w = await start();
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const entry of follow(w, { after: 0, signal: stop.signal })) {
        if ("event" in entry) seen.push(entry.event.id);
        if (seen.length % 50 === 0) await Bun.sleep(1);
        if (seen.length === 1_000) return;
      }
    })();
    for (let index = 0; index < 1_000; index += 1) {
      w.events.append({ projectId: "p", operationId: null, type: "starting" });
      if (index % 7 === 0) await Bun.sleep(0);
    }
    await reading;
    stop.abort();
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  test("tells a reader which events are no longer kept", async () => {
    const w = await start();
    for (let index = 0; index < 20; index += 1)
      w.events.append({ projectId: "p", operationId: null, type: "starting" });
    w.db.run("DELETE FROM events WHERE id <= 10");
    const first = await follow(w, { after: 3, signal: AbortSignal.timeout(5_000) }).next();
    expect(first.value).toEqual({ gap: { from: 4, to: 10 } });
  });

  test("tells of a gap also a reader from the start, and one that was overtaken while it read", async () => {
    const w = await start();
    const append = () => w.events.append({ projectId: "p", operationId: null, type: "starting" });
    for (let index = 0; index < 5; index += 1) append();
    w.db.run("DELETE FROM events WHERE id <= 2");
    const reader = follow(w, { after: 0, signal: AbortSignal.timeout(5_000) });
    expect((await reader.next()).value).toEqual({ gap: { from: 1, to: 2 } });
    for (const id of [3, 4, 5]) expect((await reader.next()).value).toMatchObject({ event: { id } });
    for (let index = 0; index < 5; index += 1) append();
    w.db.run("DELETE FROM events WHERE id <= 8");
    expect((await reader.next()).value).toEqual({ gap: { from: 6, to: 8 } });
    expect((await reader.next()).value).toMatchObject({ event: { id: 9 } });
  });

  test("takes others' trimmed events for no gap in a project's own", async () => {
    const w = await start();
    const append = (projectId: string) => w.events.append({ projectId, operationId: null, type: "starting" });
    append("mine");
    const reader = follow(w, { after: 0, projectId: "mine", signal: AbortSignal.timeout(5_000) });
    expect((await reader.next()).value).toMatchObject({ event: { id: 1 } });
    const next = reader.next();
    await Bun.sleep(5);
    for (let index = 0; index < 5; index += 1) append("other");
    await Bun.sleep(5);
    w.db.run("DELETE FROM events WHERE id <= 6");
    append("mine");
    expect((await next).value).toMatchObject({ event: { id: 7 } });
  });

  test("tells a reader of events that an older backup does not have, and goes on from there", async () => {
    const w = await start();
    w.events.append({ projectId: "p", operationId: null, type: "starting" });
    const reader = follow(w, { after: 9, signal: AbortSignal.timeout(5_000) });
    expect((await reader.next()).value).toEqual({ gap: { from: 2, to: 9 } });
    w.events.append({ projectId: "p", operationId: null, type: "ready" });
    expect((await reader.next()).value).toMatchObject({ event: { id: 2 } });
  });

  test("ends a project's stream with its deletion", async () => {
    const w = await start();
    w.events.append({ projectId: "p", operationId: null, type: "deleted" });
    const entries = await Array.fromAsync(follow(w, { after: 0, projectId: "p", signal: AbortSignal.timeout(5_000) }));
    expect(entries).toHaveLength(1);
  });
});
