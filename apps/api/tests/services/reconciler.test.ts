import { afterEach, describe, expect, test } from "bun:test";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { createLogger } from "../../src/http/logger.ts";
import { latestOperation } from "../../src/models/operation.ts";
import { createReconciler } from "../../src/services/reconciler.ts";
import { idsOf } from "../support/ids-of.ts";
import { createProjects } from "../support/projects.ts";
import { until } from "../support/wait.ts";

type World = Awaited<ReturnType<typeof createProjects>>;
let world: World | undefined;

async function start(): Promise<World> {
  world = await createProjects();
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

const input = { name: "Test", flavorId: "js", addonIds: [] };

/** A project's way into the state asked for, waited for. */
async function make(w: World): Promise<string> {
  const { operation, project } = await w.projects.create(input);
  await w.end(operation);
  return project.id;
}

const stateOf = async (w: World, id: string) => (await w.runtime.inspect(id)).state;

describe("the reconciler", () => {
  test("starts what should run and does not, and stops what should not", async () => {
    const w = await start();
    const [up, down] = await Promise.all([make(w), make(w)]);
    await w.end((await w.projects.stop(down)).operation);
    await w.runtime.close();
    expect(await stateOf(w, up)).toBe("exited");
    const { drift } = await w.reconciler.reconcile();
    expect(drift).toMatchObject([
      { projectId: up, kind: "not_running", desiredState: "running", observedState: "exited", action: "repairing" },
    ]);
    await w.end({ id: drift[0]?.operationId ?? "" });
    expect(await stateOf(w, up)).toBe("running");
    expect(await stateOf(w, down)).toBe("exited");

    w.db.run("UPDATE projects SET status = 'stopped', desired_state = 'stopped' WHERE id = ?", [up]);
    const again = await w.reconciler.reconcile();
    expect(again.drift).toMatchObject([{ projectId: up, kind: "not_stopped", action: "repairing" }]);
    await w.end({ id: again.drift[0]?.operationId ?? "" });
    expect(await stateOf(w, up)).toBe("exited");
  });

  test("by itself acts only on what two looks in a row show", async () => {
    const w = await start();
    const id = await make(w);
    const { list } = w.runtime;
    const flicker = (await list()).map((sandbox) => ({ ...sandbox, state: "exited" as const }));
    w.runtime.list = async () => flicker;
    expect((await w.reconciler.report()).drift).toMatchObject([{ projectId: id, action: "watching" }]);
    // The second look still shows it, but a closer one does not.
    expect((await w.reconciler.reconcile()).drift).toEqual([]);
    w.runtime.list = list;
    await w.runtime.close();
    w.reconciler.start();
    await until("it is started again", async () => (await stateOf(w, id)) === "running" || undefined);
  });

  test("tries what failed for a passing reason again, towards what was asked for last", async () => {
    const w = await start();
    const [created, deleted, hopeless] = await Promise.all([make(w), make(w), make(w)]);
    const fail = (id: string, desired: string, code: string) =>
      w.db.run(
        "UPDATE projects SET status = 'error', desired_state = ?, status_code = ?, status_message = 'no' WHERE id = ?",
        [desired, code, id],
      );
    fail(created, "running", "unavailable");
    fail(deleted, "deleted", "timeout");
    fail(hopeless, "running", "image_unavailable");
    const { drift } = await w.reconciler.reconcile();
    const actions = Object.fromEntries(drift.map(({ projectId, kind, action }) => [projectId, `${kind} ${action}`]));
    expect(actions).toEqual({
      [created]: "failed retrying",
      [deleted]: "failed retrying",
      [hopeless]: "failed none",
    });
    for (const { operationId } of drift) if (operationId !== null) await w.end({ id: operationId });
    expect(w.projects.get(created).status).toBe("running");
    expect(w.projects.find(deleted)).toBeUndefined();
    expect(w.projects.get(hopeless).status).toBe("error");
  });

  test("goes by what is asked for now, and lets one project's trouble not keep it from the others", async () => {
    const w = await start();
    const [one, two, three] = await Promise.all([make(w), make(w), make(w)]);
    await w.runtime.close();
    const { inspect } = w.runtime;
    let stopped: Promise<unknown> | undefined;
    w.runtime.inspect = async (projectId) => {
      if (projectId === three) throw new RuntimeError("unavailable", "away");
      const seen = await inspect(projectId);
      if (projectId === two) stopped ??= w.projects.stop(projectId);
      return seen;
    };
    const { drift } = await w.reconciler.reconcile();
    await stopped;
    w.runtime.inspect = inspect;
    expect(Object.fromEntries(drift.map(({ projectId, kind }) => [projectId, kind]))).toEqual({
      [one]: "not_running",
      [three]: "unreachable",
    });
  });

  test("says that a sandbox runs an older configuration, and leaves it to the next start", async () => {
    const w = await start();
    const id = await make(w);
    w.db.run("UPDATE projects SET generation = generation + 1 WHERE id = ?", [id]);
    expect((await w.reconciler.reconcile()).drift).toMatchObject([
      { projectId: id, kind: "outdated", action: "none", operationId: null },
    ]);
    await w.end((await w.projects.restart(id)).operation);
    expect((await w.reconciler.reconcile()).drift).toEqual([]);
  });

  test("starts a sandbox that ends again and again ever more rarely, until it stayed up for long", async () => {
    const w = await start();
    const id = await make(w);
    let now = new Date("2030-01-01T00:00:00Z").getTime();
    const reconciler = createReconciler({
      ...w,
      logger: createLogger("silent"),
      intervalMs: 20,
      retry: { firstDelayMs: 10_000, delayMsMax: 100_000 },
      now: () => new Date(now),
    });
    const seen = async () => (await reconciler.report()).drift[0]?.action;
    const isFine = () => until("it is fine", async () => (await seen()) === undefined || undefined);
    /** Ends it, and tells what is done about it after so many seconds. */
    const actionAfter = async (seconds: number) => {
      const before = latestOperation(w.db, id)?.id;
      await w.runtime.close();
      now += seconds * 1000;
      const begun = await until("it is decided on", async () => {
        const latest = latestOperation(w.db, id);
        if (latest && latest.id !== before) return latest;
        const { checkedAt, drift } = await reconciler.report();
        const isNew = checkedAt === new Date(now).toISOString();
        return isNew && drift[0]?.action === "waiting" ? null : undefined;
      });
      if (begun === null) return "waits";
      await w.end(begun);
      await isFine();
      return "is started";
    };
    reconciler.start();
    await isFine();
    expect(await actionAfter(0)).toBe("is started");
    expect(await actionAfter(1)).toBe("waits");
    expect(await actionAfter(9)).toBe("is started");
    // That it was seen up for a moment says nothing.
    expect(await actionAfter(9)).toBe("waits");
    expect(await actionAfter(11)).toBe("is started");
    expect(await actionAfter(1)).toBe("waits");
    // Who asks for it does not wait.
    const { drift } = await reconciler.reconcile();
    expect(drift).toMatchObject([{ action: "repairing" }]);
    await w.end({ id: drift[0]?.operationId ?? "" });
    now += 300_000;
    await until("it stayed up for long", async () => (await reconciler.reconcile()).drift.length === 0 || undefined);
    expect(await actionAfter(0)).toBe("is started");
    expect(await actionAfter(10)).toBe("is started");
    await reconciler.close();
  });

  test("looks anew when it is told to while a look is under way that is not sure", async () => {
    const w = await start();
    const id = await make(w);
    await w.runtime.close();
    const { list } = w.runtime;
    const hold = Promise.withResolvers<void>();
    w.runtime.list = async () => {
      const seen = await list();
      await hold.promise;
      return seen;
    };
    const report = w.reconciler.report();
    const told = w.reconciler.reconcile();
    hold.resolve();
    expect((await report).drift).toMatchObject([{ projectId: id, action: "watching" }]);
    expect((await told).drift).toMatchObject([{ projectId: id, action: "repairing" }]);
  });

  test("does not keep the API from ending while the runtime takes its time to answer", async () => {
    const w = await start();
    const id = await make(w);
    await w.runtime.close();
    const { list } = w.runtime;
    const hold = Promise.withResolvers<void>();
    w.runtime.list = async () => {
      await hold.promise;
      return await list();
    };
    const look = w.reconciler.reconcile();
    const startedAt = performance.now();
    await w.reconciler.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    hold.resolve();
    expect((await look).checkedAt).toBeNull();
    expect(w.projects.get(id).status).toBe("running");
  });

  test("sweeps what a finished delete left, and leaves alone what no record explains", async () => {
    const w = await start();
    const [deleted, forgotten] = await Promise.all([make(w), make(w)]);
    w.db.run("UPDATE operations SET kind = 'delete' WHERE project_id = ?", [deleted]);
    w.db.run("DELETE FROM projects WHERE id IN (?, ?)", [deleted, forgotten]);
    const { drift } = await w.reconciler.reconcile();
    expect(Object.fromEntries(drift.map(({ projectId, kind, action }) => [projectId, `${kind} ${action}`]))).toEqual({
      [deleted]: "orphan swept",
      [forgotten]: "unknown none",
    });
    expect(await idsOf(w.runtime)).toEqual([forgotten]);
  });

  test("reports a runtime that cannot be asked instead of failing", async () => {
    const w = await start();
    w.runtime.list = async () => {
      throw new RuntimeError("unavailable", "the engine is away");
    };
    expect(await w.reconciler.reconcile()).toMatchObject({ error: "the engine is away", drift: [] });
  });
});
