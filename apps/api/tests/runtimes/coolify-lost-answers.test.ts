import { describe, expect, test } from "bun:test";
import type { Fault, FaultKind } from "@agentpod/coolify-fake";
import { coolifySpec, coolifyWorld, type CoolifyWorld } from "../support/coolify-sandboxes.ts";

/** Every write of a deploy, and what a look can break at. */
const requests: readonly Required<NonNullable<Fault["match"]>>[] = [
  { method: "GET", path: /^\/applications$/ },
  { method: "POST", path: /^\/applications\/dockerimage$/ },
  { method: "PATCH", path: /^\/applications\/[a-z0-9]+$/ },
  { method: "GET", path: /^\/applications\/[a-z0-9]+$/ },
  { method: "PATCH", path: /\/envs\/bulk$/ },
  { method: "GET", path: /\/envs$/ },
  { method: "GET", path: /\/storages$/ },
  { method: "POST", path: /\/storages$/ },
  { method: "GET", path: /^\/deployments\/applications\// },
  { method: "POST", path: /\/start$/ },
  { method: "GET", path: /^\/deployments\/[a-z0-9]+$/ },
];

const kinds: readonly FaultKind[] = ["lost_answer", "lost_request", "server_error", "html_redirect", "rate_limited"];

async function expectOneAsAskedFor({ fake, onlyApplication }: CoolifyWorld, spec: ReturnType<typeof coolifySpec>) {
  const app = onlyApplication();
  expect(app.running).toMatchObject({
    image: spec.imageRef,
    domains: spec.urls.domainsConfig,
    env: { AGENTPOD_PROJECT_ID: spec.projectId, ...spec.env },
    restarting: false,
  });
  expect(app.storages).toHaveLength(1);
  expect(fake.volumes()).toEqual([`${app.uuid}-workspace`]);
}

describe("a deploy on a Coolify whose answers get lost", () => {
  for (const kind of kinds) {
    for (const match of requests) {
      test(`leaves one sandbox after ${kind} of ${match.method} ${match.path.source}, and nothing after its end`, async () => {
        const world = await coolifyWorld();
        const { fake, runtime, persist, recorded, told } = world;
        const spec = coolifySpec();
        for (const times of [1, 3]) {
          fake.faults.add({ kind, match, times, ms: 10 });
          await persist(runtime.steps.deploy, { ...spec, generation: times });
          await expectOneAsAskedFor(world, spec);
          expect(recorded.get(spec.projectId)).toBe(world.onlyApplication().uuid);
        }
        await persist(runtime.steps.remove, spec);
        expect([fake.applications(), fake.volumes(), fake.containers()]).toEqual([[], [], []]);
        expect(recorded.get(spec.projectId)).toBeNull();
        for (const secret of [fake.tokens.all, spec.gatewayToken, "sk-very-secret-value"]) {
          expect(told()).not.toContain(secret);
        }
      });
    }
  }

  test("starts no second deployment when only the answer to the start was lost", async () => {
    const { fake, runtime, run, sent, options, onlyApplication } = await coolifyWorld();
    fake.faults.add({ kind: "lost_answer", match: { method: "POST", path: /\/start$/ }, times: 1 });
    await run(runtime.steps.deploy, coolifySpec());
    expect(sent().filter((request) => request.endsWith("/start"))).toHaveLength(1);
    const { count } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(count).toBe(1);
  });

  test("makes no second application when only the answer to the create was lost", async () => {
    const { fake, runtime, run, sent } = await coolifyWorld();
    fake.faults.add({ kind: "lost_answer", match: { path: /dockerimage$/ }, times: 1 });
    await run(runtime.steps.deploy, coolifySpec());
    expect(sent().filter((request) => request === "POST /applications/dockerimage")).toHaveLength(1);
  });

  test("sets no variable twice", async () => {
    const { fake, runtime, persist, options, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    fake.faults.add({ kind: "lost_answer", match: { path: /\/envs\/bulk$/ }, times: 2 });
    await persist(runtime.steps.deploy, spec);
    const keys = (await options.client.listEnvs(onlyApplication().uuid)).map(({ key }) => key);
    expect(keys.length).toBe(new Set(keys).size);
  });
});

describe("a create that Coolify carries out only after it was made again", () => {
  /** What a lost create leaves when it comes through late. */
  async function makeDouble({ fake, options }: CoolifyWorld, projectId: string): Promise<string> {
    const { uuid } = await options.client.createDockerImageApp(fake.projectUuid, fake.serverUuid, {
      environment_name: fake.environmentName,
      name: "late",
      description: `agentpod:${options.instanceId}:${projectId}`,
      image: "registry.example.com/x:1",
    });
    return uuid;
  }

  test("leaves the recorded one: a look at all deletes the other", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    await world.run(world.runtime.steps.deploy, spec);
    const { uuid } = world.onlyApplication();
    await makeDouble(world, spec.projectId);
    expect(await world.runtime.list()).toMatchObject([{ projectId: spec.projectId, state: "running", generation: 1 }]);
    expect(world.fake.applications().filter(({ deletedPending }) => !deletedPending)).toMatchObject([{ uuid }]);
  });

  test("leaves the recorded one: the next deploy deletes the other", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    await world.run(world.runtime.steps.deploy, spec);
    const { uuid } = world.onlyApplication();
    await makeDouble(world, spec.projectId);
    await world.run(world.runtime.steps.deploy, { ...spec, generation: 2 });
    expect(world.onlyApplication()).toMatchObject({ uuid, running: { image: spec.imageRef } });
  });

  test("leaves the configured one when the record is lost as well", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    const older = await makeDouble(world, spec.projectId);
    world.recorded.set(spec.projectId, older);
    await world.run(world.runtime.steps.deploy, spec);
    await makeDouble(world, spec.projectId);
    world.recorded.clear();
    await world.run(world.runtime.steps.deploy, { ...spec, generation: 2 });
    expect(world.onlyApplication().uuid).toBe(older);
  });

  test("is not deleted by a look while none is recorded: the step at work may have just made it", async () => {
    const world = await coolifyWorld();
    await makeDouble(world, "prj_1");
    await makeDouble(world, "prj_1");
    expect(await world.runtime.list()).toMatchObject([{ projectId: "prj_1", state: "created", generation: null }]);
    expect(world.fake.applications().map(({ deletedPending }) => deletedPending)).toEqual([false, false]);
  });

  test("goes with the project", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    await world.run(world.runtime.steps.deploy, spec);
    await makeDouble(world, spec.projectId);
    await world.run(world.runtime.steps.remove, spec);
    expect([world.fake.applications(), world.fake.volumes()]).toEqual([[], []]);
  });

  test("of a project that is gone is listed, and swept", async () => {
    const world = await coolifyWorld();
    await makeDouble(world, "prj_gone");
    expect((await world.runtime.list()).map(({ projectId }) => projectId)).toEqual(["prj_gone"]);
    await world.runtime.sweep("prj_gone");
    expect([await world.runtime.list(), world.fake.applications()]).toEqual([[], []]);
  });
});
