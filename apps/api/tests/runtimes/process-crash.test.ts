import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createPsTable } from "../../src/runtimes/process/ps-table.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import type { DyingDeploy, DyingPoint } from "../support/dying-deploy.ts";
import { describeUnless } from "../support/engine.ts";
import { idsOf } from "../support/ids-of.ts";
import {
  askInfo,
  createWorld,
  GATEWAY,
  pidOf,
  projectFolders,
  recordOf,
  runSteps,
  until,
  type World,
} from "../support/process-world.ts";

const POINTS: { point: DyingPoint; children: number }[] = [
  { point: "after workspace", children: 0 },
  { point: "before the spawn", children: 0 },
  { point: "after the spawn", children: 1 },
  { point: "after start", children: 1 },
  { point: "after healthy", children: 1 },
];

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.end());

/** A deploy by another process that ends by SIGKILL; the returned pids are those of its orphans. */
async function deployAndDie(spec: SandboxSpec, point: DyingPoint): Promise<number[]> {
  const { dataDir, instanceId } = world;
  const order: DyingDeploy = { dataDir, instanceId, command: GATEWAY, spec, point };
  const driver = Bun.spawn([
    process.execPath,
    join(import.meta.dir, "../support/dying-deploy.ts"),
    JSON.stringify(order),
  ]);
  await driver.exited;
  expect(driver.signalCode).toBe("SIGKILL");
  return world.processes();
}

describe.each(POINTS)("after a kill -9 $point of a deploy", ({ point, children }) => {
  test("the next life finds what is there, finishes the deploy and has one child", async () => {
    const spec = await world.spec();
    const orphans = await deployAndDie(spec, point);
    expect(orphans).toHaveLength(children);
    expect(await idsOf(world.runtime)).toEqual([spec.projectId]);
    const { state } = await world.runtime.inspect(spec.projectId);
    expect(state).toBe(children === 1 ? "running" : "created");

    await runSteps(world.runtime.steps.deploy, spec);
    expect(await askInfo(spec)).toMatchObject({ projectId: spec.projectId });
    expect((await world.runtime.inspect(spec.projectId)).state).toBe("running");
    const pid = await pidOf(world, spec);
    expect(await world.processes()).toEqual([pid]);
    // What runs as it should is kept, not replaced.
    if (children === 1) expect(orphans).toEqual([pid]);
  });

  test("the next life can deploy another generation instead", async () => {
    const spec = await world.spec();
    const orphans = await deployAndDie(spec, point);
    const next = { ...spec, generation: 2 };
    await runSteps(world.runtime.steps.deploy, next);
    const pid = await pidOf(world, spec);
    expect(orphans).not.toContain(pid);
    expect(await world.processes()).toEqual([pid]);
  });

  test("the next life can stop it", async () => {
    const spec = await world.spec();
    await deployAndDie(spec, point);
    await runSteps(world.runtime.steps.stop, spec);
    expect(await world.processes()).toEqual([]);
  });

  test("the next life can sweep it away", async () => {
    const spec = await world.spec();
    await deployAndDie(spec, point);
    await world.runtime.sweep(spec.projectId);
    expect(await world.processes()).toEqual([]);
    expect(await projectFolders(world)).toEqual([]);
    expect(await idsOf(world.runtime)).toEqual([]);
  });
});

test("a kill while a child is replaced leaves neither the old nor two new ones", async () => {
  const spec = await world.spec();
  await runSteps(world.runtime.steps.deploy, spec);
  const first = await pidOf(world, spec);
  const next = { ...spec, generation: 2 };
  const orphans = await deployAndDie(next, "after the spawn");
  expect(orphans).toHaveLength(1);
  expect(orphans).not.toContain(first);
  expect((await recordOf(world, spec)).child).toBeNull();
  const later = await world.restart();
  await runSteps(later.steps.deploy, next);
  expect(await world.processes()).toEqual(orphans);
});

test("a child whose folder has vanished is still listed and swept", async () => {
  const spec = await world.spec();
  // Before that, it may still make folders in its HOME.
  const orphans = await deployAndDie(spec, "after healthy");
  await rm(world.folder(spec), { recursive: true });
  expect(orphans).toHaveLength(1);
  expect((await world.runtime.inspect(spec.projectId)).state).toBe("absent");
  expect(await idsOf(world.runtime)).toEqual([spec.projectId]);
  await world.runtime.sweep(spec.projectId);
  expect(await world.processes()).toEqual([]);
});

test("a child of another installation is not touched", async () => {
  const spec = await world.spec();
  await deployAndDie(spec, "after the spawn");
  const other = await createWorld();
  expect(await idsOf(other.runtime)).toEqual([]);
  await other.runtime.sweep(spec.projectId);
  await other.end();
  expect(await world.processes()).toHaveLength(1);
});

test("a record cut off by a power failure does not hide the child", async () => {
  const spec = await world.spec();
  const orphans = await deployAndDie(spec, "after healthy");
  await Bun.write(join(world.folder(spec), "process.json"), '{"generation":1,"chi');
  expect(await world.runtime.inspect(spec.projectId)).toMatchObject({ state: "created", generation: null });
  await runSteps(world.runtime.steps.deploy, spec);
  expect(await world.processes()).toEqual([await pidOf(world, spec)]);
  expect(orphans).not.toContain(await pidOf(world, spec));
});

test("a graceful end also ends the orphan of an earlier life", async () => {
  const spec = await world.spec();
  await deployAndDie(spec, "after the spawn");
  await world.runtime.close();
  await until("the orphan is gone", async () => (await world.processes()).length === 0);
});

const psMissing = existsSync("/bin/ps") ? undefined : "there is no /bin/ps";

describeUnless(psMissing, "where only ps tells of processes", () => {
  test("an orphan is found, kept and ended as well", async () => {
    const runtime = await world.restart({ processTable: createPsTable() });
    const spec = await world.spec();
    const orphans = await deployAndDie(spec, "after the spawn");
    expect((await runtime.inspect(spec.projectId)).state).toBe("running");
    await runSteps(runtime.steps.deploy, spec);
    expect(await world.processes()).toEqual(orphans);
    await runSteps(runtime.steps.deploy, { ...spec, generation: 2 });
    expect(orphans).not.toContain(await pidOf(world, spec));
    await runSteps(runtime.steps.remove, spec);
    expect(await world.processes()).toEqual([]);
  });
});
