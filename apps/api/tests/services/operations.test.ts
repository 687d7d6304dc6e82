import { afterEach, describe, expect, test } from "bun:test";
import { listEvents } from "../../src/models/event.ts";
import { getOperation } from "../../src/models/operation.ts";
import { listSteps } from "../../src/models/operation-step.ts";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { idsOf } from "../support/ids-of.ts";
import { createProjects, type Fault } from "../support/projects.ts";
import { until } from "../support/wait.ts";

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

  test("goes on when its state could not be recorded for a while, as on a full disk", async () => {
    let isFull = false;
    const w = await start((step) => {
      if (step !== "healthy" || isFull) return;
      isFull = true;
      w.db.run(
        "CREATE TRIGGER full BEFORE UPDATE ON operations BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
      );
    });
    const { operation, project } = await w.projects.create(input);
    await until("the disk is full", () => (isFull ? true : undefined));
    await Bun.sleep(50);
    expect(w.projects.get(project.id).status).toBe("creating");
    w.db.run("DROP TRIGGER full");
    expect((await w.end(operation)).status).toBe("succeeded");
    expect(w.projects.get(project.id).status).toBe("running");
  });

  test("that stops a sandbox does not wait for those that make others", async () => {
    const hold = Promise.withResolvers<void>();
    const w = await start();
    const made = await w.projects.create(input);
    await w.end(made.operation);
    const [first] = w.runtime.steps.deploy;
    if (first === undefined) throw new Error("a deploy has no steps");
    const { run } = first;
    first.run = async (...args) => {
      await hold.promise;
      await run(...args);
    };
    const making = await Promise.all(Array.from({ length: 6 }, async () => await w.projects.create(input)));
    expect((await w.end((await w.projects.stop(made.project.id)).operation)).status).toBe("succeeded");
    hold.resolve();
    for (const { operation } of making) expect((await w.end(operation)).status).toBe("succeeded");
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

  test("gives back its services to a project that a rollback of the database took them from", async () => {
    const w = await start();
    const { operation, project } = await w.projects.create(input);
    await w.end(operation);
    w.db.run("DELETE FROM port_allocations WHERE project_id = ?", [project.id]);
    const { operation: restart } = await w.projects.restart(project.id);
    expect((await w.end(restart)).status).toBe("succeeded");
    const { ports, gatewayUrl } = w.projects.get(project.id);
    expect(ports.map(({ name }) => name)).toEqual(project.ports.map(({ name }) => name));
    expect((await fetch(`${gatewayUrl}/health`)).status).toBe(200);
  });

  test("records each run of each step, and how it ended", async () => {
    const w = await start(failing("start", 1, () => new RuntimeError("unavailable", "the engine is away")));
    const { operation } = await w.projects.create(input);
    await w.end(operation);
    const steps = listSteps(w.db, operation?.id ?? "");
    expect(steps.map(({ name, outcome, errorCode }) => [name, outcome, errorCode])).toEqual([
      ["workspace", "succeeded", null],
      ["source", "succeeded", null],
      ["start", "failed", "unavailable"],
      ["workspace", "succeeded", null],
      ["source", "succeeded", null],
      ["start", "succeeded", null],
      ["healthy", "succeeded", null],
    ]);
    for (const { finishedAt, startedAt } of steps) expect((finishedAt ?? "") >= startedAt).toBe(true);
  });

  test("waits as long as what failed asks for, also over a restart", async () => {
    const w = await start(
      failing("start", 1, () => new RuntimeError("unavailable", "the queue is full", { retryAfterMs: 60_000 })),
    );
    const { operation, project } = await w.projects.create(input);
    const id = operation?.id ?? "";
    const retryAt = await until("it waits", () => getOperation(w.db, id)?.retryAt ?? undefined);
    expect(Date.parse(retryAt) - Date.now()).toBeGreaterThan(50_000);
    // A parked one is left as it is.
    await w.runner.close();
    expect(getOperation(w.db, id)).toMatchObject({ status: "running", retryAt });
    expect(w.projects.get(project.id).status).toBe("creating");
  });

  test("is cut off by the delete of its project, which then leaves nothing", async () => {
    const w = await start();
    const [first] = w.runtime.steps.deploy;
    if (first === undefined) throw new Error("a deploy has no steps");
    const { run } = first;
    const begun = Promise.withResolvers<void>();
    const late = Promise.withResolvers<void>();
    first.run = async (spec, context) => {
      begun.resolve();
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      // One that lets go late: what it still makes must be removed as well.
      await late.promise;
      await run(spec, context);
    };
    const { operation, project } = await w.projects.create(input);
    await begun.promise;
    const removal = await w.projects.remove(project.id);
    expect(await w.projects.remove(project.id).catch((error: unknown) => error)).toMatchObject({
      code: "operation_in_progress",
      operationId: removal.operation?.id,
    });
    late.resolve();
    expect(await w.end(removal.operation)).toMatchObject({ kind: "delete", status: "succeeded" });
    expect(await w.end(operation)).toMatchObject({ status: "cancelled", error: { code: "cancelled" } });
    expect(await idsOf(w.runtime)).toEqual([]);
    expect(typesOf(w)).toEqual(["resolved", "cancelled", "deleting", "deleted"]);
    expect(listSteps(w.db, removal.operation?.id ?? "")).toEqual([]);
  });

  test("that fails for good leaves nothing that ends and starts again for ever", async () => {
    const w = await start(failing("healthy", 9, () => new RuntimeError("not_healthy", "no answer")));
    const { operation, project } = await w.projects.create(input);
    expect(await w.end(operation)).toMatchObject({ status: "failed", step: "healthy", error: { code: "not_healthy" } });
    expect((await w.runtime.inspect(project.id)).state).toBe("exited");
    expect(listSteps(w.db, operation?.id ?? "").at(-1)).toMatchObject({ name: "abandon", outcome: "succeeded" });
  });

  test("is given time to end when the control plane closes", async () => {
    const w = await start();
    const { operation } = await w.projects.create(input);
    await until("it is at work", () => listSteps(w.db, operation?.id ?? "").length > 1 || undefined);
    await w.runner.close(20_000);
    expect(getOperation(w.db, operation?.id ?? "")?.status).toBe("succeeded");
    const late = await w.projects.create(input);
    expect(getOperation(w.db, late.operation?.id ?? "")?.status).toBe("pending");
  });
});
