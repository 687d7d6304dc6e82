import { afterEach, describe, expect, test } from "bun:test";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { createProjects } from "../support/projects.ts";

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
