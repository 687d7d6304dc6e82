import { afterEach, describe, expect, test } from "bun:test";
import { listEvents } from "../../src/models/event.ts";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { createProjects, type Fault } from "../support/projects.ts";

type World = Awaited<ReturnType<typeof createProjects>>;
let world: World | undefined;

async function start(fault?: Fault): Promise<World> {
  world = await createProjects(fault ? { fault } : {});
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Fails the named step a number of times, then lets it be. */
function failing(step: string, times: number, error: () => Error): Fault & { count: number } {
  const fault = (name: string) => {
    if (name !== step || fault.count >= times) return;
    fault.count += 1;
    throw error();
  };
  fault.count = 0;
  return fault;
}

const input = { name: "Test", flavorId: "js", addonIds: [] };
const typesOf = ({ db }: World) => listEvents(db, { after: 0, limit: 100 }).map(({ type }) => type);

describe("an operation", () => {
  test("is tried again when the runtime was out of reach, and says so", async () => {
    const w = await start(failing("start", 2, () => new RuntimeError("unavailable", "the engine is away")));
    const { operation, project } = await w.projects.create(input);
    expect((await w.end(operation)).status).toBe("succeeded");
    expect(w.projects.get(project.id).status).toBe("running");
    expect(typesOf(w).filter((type) => type === "retrying")).toHaveLength(2);
  });

  test("gives up after its tries, leaves the reason, and can be started again", async () => {
    const fault = failing("start", 4, () => new RuntimeError("unavailable", "the engine is away"));
    const w = await start(fault);
    const { operation, project } = await w.projects.create(input);
    expect(await w.end(operation)).toMatchObject({
      status: "failed",
      step: "start",
      error: { code: "unavailable", message: "the engine is away" },
    });
    expect(w.projects.get(project.id)).toMatchObject({
      status: "error",
      statusReason: { code: "unavailable", message: "the engine is away" },
    });
    expect(fault.count).toBe(4);
    const again = await w.projects.start(project.id);
    expect((await w.end(again.operation)).status).toBe("succeeded");
    expect(w.projects.get(project.id)).toMatchObject({ status: "running", statusReason: null });
  });

  test("is not tried again when trying cannot help", async () => {
    const fault = failing("source", 9, () => new RuntimeError("source_clone_failed", "no such repository"));
    const w = await start(fault);
    const { operation } = await w.projects.create(input);
    expect((await w.end(operation)).error?.code).toBe("source_clone_failed");
    expect(fault.count).toBe(1);
    expect(typesOf(w).at(-1)).toBe("failed");
  });

  test("tells nobody what an unexpected error says", async () => {
    const w = await start(failing("start", 9, () => new Error("password=hunter2")));
    const { operation, project } = await w.projects.create(input);
    expect((await w.end(operation)).error?.code).toBe("internal");
    expect(JSON.stringify([w.projects.get(project.id), listEvents(w.db, { after: 0, limit: 100 })])).not.toContain(
      "hunter2",
    );
  });

  test("moves to other ports when one of its own is taken", async () => {
    const w = await start(failing("healthy", 1, () => new RuntimeError("port_conflict", "taken")));
    const { operation, project } = await w.projects.create(input);
    expect((await w.end(operation)).status).toBe("succeeded");
    const moved = w.projects.get(project.id);
    expect(moved.ports[0]?.hostPort).not.toBe(project.ports[0]?.hostPort);
    expect(moved.gatewayUrl).toBe(`http://127.0.0.1:${moved.ports[0]?.hostPort}`);
    expect((await fetch(`${moved.gatewayUrl}/health`)).status).toBe(200);
  });

  test("ends in a clear failure when there are no other ports to move to", async () => {
    const w = await start(failing("healthy", 9, () => new RuntimeError("port_conflict", "taken")));
    const { operation, project } = await w.projects.create(input);
    w.db.run("UPDATE container_flavors SET id = 'gone' WHERE id = 'js'");
    w.catalog.refresh();
    expect(await w.end(operation)).toMatchObject({ status: "failed", error: { code: "invalid_configuration" } });
    expect(w.projects.get(project.id).status).toBe("error");
    expect((await w.end((await w.projects.remove(project.id)).operation)).status).toBe("succeeded");
  });

  test("refuses a second one on the same project, and leaves everything as it was", async () => {
    const w = await start();
    const { operation, project } = await w.projects.create(input);
    await expect(w.projects.stop(project.id)).rejects.toMatchObject({
      code: "operation_in_progress",
      operationId: operation?.id,
    });
    await expect(w.projects.update(project.id, { name: "Other", resourceTierId: "power" })).rejects.toMatchObject({
      code: "operation_in_progress",
    });
    await w.end(operation);
    expect(w.projects.get(project.id)).toMatchObject({ status: "running", name: "Test", resourceTierId: "starter" });
  });

  test("of two changes from the same state lets only one win", async () => {
    const w = await start();
    const { operation, project } = await w.projects.create(input);
    await w.end(operation);
    const outcomes = await Promise.allSettled([
      w.projects.update(project.id, { resourceTierId: "power" }),
      w.projects.update(project.id, { flavorId: "python" }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const [won] = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    await w.end(won?.operation ?? null);
    const { resourceTierId, flavorId } = w.projects.get(project.id);
    expect([`${resourceTierId} ${flavorId}`]).toEqual([
      won?.project.resourceTierId === "power" ? "power js" : "starter python",
    ]);
  });

  test("changes a stopped project without starting it; the start then uses the new configuration", async () => {
    const w = await start();
    const created = await w.projects.create(input);
    await w.end(created.operation);
    await w.end((await w.projects.stop(created.project.id)).operation);
    const changed = await w.projects.update(created.project.id, { flavorId: "python" });
    expect(changed).toMatchObject({ operation: null, project: { status: "stopped", flavorId: "python" } });
    expect((await w.runtime.inspect(created.project.id)).state).toBe("exited");
    await w.end((await w.projects.start(created.project.id)).operation);
    expect(await w.runtime.inspect(created.project.id)).toMatchObject({ state: "running", generation: 2 });
  });
});

describe("the reconciler", () => {
  test("starts what should run and does not, and stops what should not", async () => {
    const w = await start();
    const up = await w.projects.create(input);
    const down = await w.projects.create(input);
    await Promise.all([w.end(up.operation), w.end(down.operation)]);
    await w.end((await w.projects.stop(down.project.id)).operation);
    await w.runtime.close();
    expect((await w.runtime.inspect(up.project.id)).state).toBe("exited");
    const outcome = await w.reconcile();
    expect(outcome).toMatchObject({ started: [up.project.id], stopped: [], swept: [], unknown: [] });
    await w.runner.finished(
      w.db.query<{ id: string }, []>("SELECT id FROM operations ORDER BY created_at DESC LIMIT 1").get()?.id ?? "",
      AbortSignal.timeout(20_000),
    );
    expect((await w.runtime.inspect(up.project.id)).state).toBe("running");
    expect((await w.runtime.inspect(down.project.id)).state).toBe("exited");
  });

  test("goes by what is asked for now, and lets one project's trouble not keep it from the others", async () => {
    const w = await start();
    const [one, two, three] = await Promise.all([1, 2, 3].map(async () => await w.projects.create(input)));
    for (const made of [one, two, three]) await w.end(made?.operation ?? null);
    await w.runtime.close();
    const { inspect } = w.runtime;
    let stopped: Promise<unknown> | undefined;
    w.runtime.inspect = async (projectId) => {
      if (projectId === three?.project.id) throw new RuntimeError("unavailable", "away");
      const seen = await inspect(projectId);
      if (projectId === two?.project.id) stopped ??= w.projects.stop(projectId);
      return seen;
    };
    const outcome = await w.reconcile();
    await stopped;
    w.runtime.inspect = inspect;
    expect(outcome.started).toEqual([one?.project.id ?? ""]);
  });

  test("sweeps what a finished delete left, and leaves alone what no record explains", async () => {
    const w = await start();
    const deleted = await w.projects.create(input);
    const forgotten = await w.projects.create(input);
    await Promise.all([w.end(deleted.operation), w.end(forgotten.operation)]);
    w.db.run("UPDATE operations SET kind = 'delete' WHERE project_id = ?", [deleted.project.id]);
    w.db.run("DELETE FROM projects WHERE id = ?", [deleted.project.id]);
    w.db.run("DELETE FROM projects WHERE id = ?", [forgotten.project.id]);
    expect(await w.reconcile()).toMatchObject({ swept: [deleted.project.id], unknown: [forgotten.project.id] });
    expect(await w.runtime.list()).toEqual([forgotten.project.id]);
  });
});

describe("the event log", () => {
  test("gives a reader everything once and in order while much is appended", async () => {
    const w = await start();
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const entry of w.events.follow({ after: 0, signal: stop.signal })) {
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
    const first = await w.events.follow({ after: 3, signal: AbortSignal.timeout(5_000) }).next();
    expect(first.value).toEqual({ gap: { from: 4, to: 10 } });
  });

  test("tells of a gap also a reader from the start, and one that was overtaken while it read", async () => {
    const w = await start();
    const append = () => w.events.append({ projectId: "p", operationId: null, type: "starting" });
    for (let index = 0; index < 5; index += 1) append();
    w.db.run("DELETE FROM events WHERE id <= 2");
    const reader = w.events.follow({ after: 0, signal: AbortSignal.timeout(5_000) });
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
    const reader = w.events.follow({ after: 0, projectId: "mine", signal: AbortSignal.timeout(5_000) });
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
    const reader = w.events.follow({ after: 9, signal: AbortSignal.timeout(5_000) });
    expect((await reader.next()).value).toEqual({ gap: { from: 2, to: 9 } });
    w.events.append({ projectId: "p", operationId: null, type: "ready" });
    expect((await reader.next()).value).toMatchObject({ event: { id: 2 } });
  });

  test("ends a project's stream with its deletion", async () => {
    const w = await start();
    w.events.append({ projectId: "p", operationId: null, type: "deleted" });
    const entries = await Array.fromAsync(
      w.events.follow({ after: 0, projectId: "p", signal: AbortSignal.timeout(5_000) }),
    );
    expect(entries).toHaveLength(1);
  });
});
