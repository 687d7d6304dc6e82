import { describe, expect, test } from "bun:test";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";
import { until } from "../support/wait.ts";

describe("stopping a sandbox on Coolify", () => {
  test("takes it down and keeps its data; a start brings the same one up", async () => {
    const { fake, runtime, run, onlyApplication, sent, events } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const { uuid } = onlyApplication();
    sent();
    await run(runtime.steps.stop, spec);
    expect(sent()).toContain("POST /applications/*/stop?docker_cleanup=false");
    expect(onlyApplication().running).toBeNull();
    expect(fake.volumes()).toEqual([`${uuid}-workspace`]);
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "exited", generation: 1 });
    events.splice(0);
    await run(runtime.steps.start, spec);
    expect(onlyApplication()).toMatchObject({ uuid, status: "running:healthy", running: { image: spec.imageRef } });
    expect(events.map(({ type }) => type)).toEqual(["deploying", "starting", "healthy"]);
  });

  test("of one that is down or was never made changes nothing", async () => {
    const { fake, runtime, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.stop, spec);
    expect(fake.applications()).toEqual([]);
    await run(runtime.steps.deploy, spec);
    await run([...runtime.steps.stop, ...runtime.steps.stop], spec);
    expect(onlyApplication().running).toBeNull();
  });

  test("comes before a deployment that is still under way", async () => {
    const { fake, runtime, run, context, onlyApplication, options } = await coolifyWorld();
    const spec = coolifySpec();
    fake.faults.add({ kind: "stuck_deployment", times: 1 });
    const untilStarted = runtime.steps.deploy.findIndex(({ name }) => name === "deployment");
    for (const step of runtime.steps.deploy.slice(0, untilStarted)) await step.run(spec, context);
    await run(runtime.steps.stop, spec);
    const { deployments } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(deployments.map(({ status }) => status)).toEqual(["cancelled-by-user"]);
    expect([onlyApplication().running, fake.containers()]).toEqual([null, []]);
  });

  test("is asked for again when its answer, or the stop itself, got lost", async () => {
    for (const kind of ["lost_answer", "lost_request", "server_error"] as const) {
      const { fake, runtime, run, onlyApplication } = await coolifyWorld();
      const spec = coolifySpec();
      await run(runtime.steps.deploy, spec);
      fake.faults.add({ kind, match: { path: /\/stop$/ }, times: 2 });
      await run(runtime.steps.stop, spec);
      expect(onlyApplication().running).toBeNull();
    }
  });

  test("says that the server is out of reach, and works when it is back", async () => {
    const { fake, runtime, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const back = fake.faults.add({ kind: "server_unreachable" });
    const error = await failureOf(run(runtime.steps.stop, spec));
    expect(error).toMatchObject({ failure: "unavailable", message: expect.stringContaining("cannot reach") });
    back();
    await run(runtime.steps.stop, spec);
    expect(onlyApplication().running).toBeNull();
  });
});

describe("starting a sandbox on Coolify", () => {
  test("that runs does nothing", async () => {
    const { runtime, run, sent } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    sent();
    await run(runtime.steps.start, spec);
    expect(sent().filter((request) => !request.startsWith("GET"))).toEqual([]);
  });

  test("that somebody deleted in Coolify fails with not_found", async () => {
    const { runtime, run, options, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    await options.client.deleteApplication(onlyApplication().uuid, {
      delete_volumes: true,
      delete_configurations: true,
      docker_cleanup: false,
      delete_connected_networks: true,
    });
    await until("it is gone", async () => ((await options.client.listApplications()).length === 0 ? true : undefined));
    const error = await failureOf(run(runtime.steps.start, spec));
    expect(error.failure).toBe("not_found");
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "absent", generation: null });
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication().running).not.toBeNull();
  });
});
