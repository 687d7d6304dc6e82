import { afterEach, describe, expect, test } from "bun:test";
import { getOperation, insertOperation } from "../../src/models/operation.ts";
import { createProjects } from "../support/projects.ts";
import { until } from "../support/wait.ts";

let world: Awaited<ReturnType<typeof createProjects>> | undefined;

async function start() {
  world = await createProjects();
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

const input = { name: "Test", flavorId: "js", addonIds: [] };

describe("an operation", () => {
  test("that waits for its turn when its project is deleted does not keep the delete waiting", async () => {
    const hold = Promise.withResolvers<void>();
    const w = await start();
    const [first] = w.runtime.steps.deploy;
    if (first === undefined) throw new Error("a deploy has no steps");
    const { run } = first;
    first.run = async (...args) => {
      await hold.promise;
      await run(...args);
    };
    const made = await Promise.all(Array.from({ length: 6 }, async () => await w.projects.create(input)));
    const waiting = made.find(({ operation }) => getOperation(w.db, operation?.id ?? "")?.status === "pending");
    const { operation } = await w.projects.remove(waiting?.project.id ?? "");
    expect((await w.end(operation)).status).toBe("succeeded");
    expect((await w.end(waiting?.operation ?? null)).status).toBe("cancelled");
    hold.resolve();
  });

  test("that waits for a look at its sandbox ends at once with its project's delete, or the API", async () => {
    const w = await start();
    const [one, two] = await Promise.all([w.projects.create(input), w.projects.create(input)]);
    for (const { operation, project } of [one, two]) {
      await w.end(operation);
      await w.end((await w.projects.stop(project.id)).operation);
    }
    const looked = Promise.withResolvers<void>();
    w.runtime.inspect = () => {
      looked.resolve();
      return new Promise(() => {});
    };
    await w.projects.start(one.project.id);
    await looked.promise;
    const removed = await w.projects.remove(one.project.id);
    expect((await w.end(removed.operation)).status).toBe("succeeded");
    const { operation } = await w.projects.start(two.project.id);
    await until("it is at work", () => getOperation(w.db, operation?.id ?? "")?.status === "running" || undefined);
    await w.runner.close();
    expect(getOperation(w.db, operation?.id ?? "")?.status).toBe("running");
  });

  test("of a project on another runtime waits for that runtime", async () => {
    const w = await start();
    const { operation, project } = await w.projects.create(input);
    await w.end(operation);
    await w.end((await w.projects.stop(project.id)).operation);
    w.db.run("UPDATE projects SET runtime = 'docker' WHERE id = ?", [project.id]);
    const begun = insertOperation(w.db, { projectId: project.id, kind: "start" });
    if (!begun.ok) throw new Error("another is at work");
    expect(w.runner.resume()).toBe(0);
    // One that is resumed too, or was before, would be done by now.
    await w.end((await w.projects.create(input)).operation);
    expect(getOperation(w.db, begun.value.id)?.status).toBe("pending");
    expect((await w.runtime.inspect(project.id)).state).toBe("exited");
    w.db.run("UPDATE projects SET runtime = 'process' WHERE id = ?", [project.id]);
    expect(w.runner.resume()).toBe(1);
    expect((await w.end(begun.value)).status).toBe("succeeded");
  });
});
