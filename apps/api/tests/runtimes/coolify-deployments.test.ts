import { describe, expect, test } from "bun:test";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";
import { until } from "../support/wait.ts";

const starts = (sent: string[]) => sent.filter((request) => /^POST .*(?:\/start|\/deploy)/.test(request));

describe("the deployment of a sandbox on Coolify", () => {
  test("is found when the id of a start is of none", async () => {
    const { fake, runtime, run, sent, onlyApplication } = await coolifyWorld();
    fake.faults.add({ kind: "phantom_deployment", times: 1 });
    await run(runtime.steps.deploy, coolifySpec());
    expect(starts(sent())).toEqual(["POST /applications/*/start", "POST /deploy?uuid=*&force=true"]);
    expect(onlyApplication().running).not.toBeNull();
  });

  test("is asked for with force when Coolify says that one is queued, and none is", async () => {
    const { fake, runtime, run, sent, onlyApplication } = await coolifyWorld();
    fake.faults.add({ kind: "already_queued", times: 1 });
    await run(runtime.steps.deploy, coolifySpec());
    expect(starts(sent())).toEqual(["POST /applications/*/start", "POST /deploy?uuid=*&force=true"]);
    expect(onlyApplication().running).not.toBeNull();
  });

  test("waits for its turn while the queue is full, for as long as Coolify asks", async () => {
    const { fake, runtime, run, persist, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    const open = fake.faults.add({ kind: "queue_full" });
    const error = await failureOf(run(runtime.steps.deploy, spec));
    expect(error).toMatchObject({ failure: "unavailable", retryAfterMs: 60_000 });
    expect(error.message).toContain("queue of Coolify's server is full");
    expect(onlyApplication().running).toBeNull();
    open();
    await persist(runtime.steps.deploy, spec);
    expect(onlyApplication().running).not.toBeNull();
  });

  test("reports that it is queued, then at work", async () => {
    const { fake, runtime, run, events } = await coolifyWorld({ fake: { concurrentBuilds: 1, deploymentMs: 200 } });
    const [first, second] = [coolifySpec(), coolifySpec()];
    const reported = (status: string) => events.find(({ data }) => data["status"] === status)?.data;
    fake.faults.add({ kind: "stuck_deployment", times: 1 });
    const stuck = failureOf(run(runtime.steps.deploy, first));
    await until("the first is at work", () => reported("in_progress"));
    events.splice(0);
    const waiting = run(runtime.steps.deploy, second);
    const { deploymentUuid } = await until("the second is queued", () => reported("queued"));
    expect(reported("in_progress")).toBeUndefined();
    await run(runtime.steps.stop, first);
    expect((await stuck).failure).toBe("rejected");
    await waiting;
    expect(reported("in_progress")).toEqual({ deploymentUuid, status: "in_progress" });
    expect(fake.applications().filter(({ running }) => running !== null)).toHaveLength(1);
  });

  test("reports that it was at work also when it was over before the first look", async () => {
    const { runtime, run, context, events } = await coolifyWorld({ fake: { deploymentMs: 1 } });
    const spec = coolifySpec();
    const untilStarted = runtime.steps.deploy.findIndex(({ name }) => name === "deployment");
    for (const step of runtime.steps.deploy.slice(0, untilStarted)) await step.run(spec, context);
    events.splice(0);
    await until("it is over", async () =>
      (await runtime.inspect(spec.projectId)).state === "running" ? true : undefined,
    );
    await run(runtime.steps.deploy.slice(untilStarted), spec);
    expect(events.map(({ type }) => type)).toEqual(["deploying", "starting", "healthy"]);
  });

  test("that comes to no end is cancelled, and the next try makes another", async () => {
    const { fake, runtime, run, onlyApplication, options, restarted } = await coolifyWorld();
    const spec = coolifySpec();
    fake.faults.add({ kind: "stuck_deployment", times: 1 });
    const hasty = await restarted({ deployTimeoutMs: 300 });
    const error = await failureOf(run(hasty.steps.deploy, spec));
    expect(error.failure).toBe("timeout");
    await run(runtime.steps.deploy, spec);
    const { deployments } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(deployments.map(({ status }) => status)).toEqual(["finished", "cancelled-by-user"]);
  });

  test("that failed leaves what ran before, and says why without secrets", async () => {
    const { fake, runtime, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.faults.add({ kind: "failed_deployment", times: 1 });
    const error = await failureOf(
      run(runtime.steps.deploy, { ...spec, generation: 2, env: { A_KEY: "another-secret" } }),
    );
    expect(error).toMatchObject({ failure: "rejected", message: expect.stringContaining("Coolify could not deploy") });
    expect(onlyApplication().running?.env).toMatchObject(spec.env);
    await run(runtime.steps.abandon, spec);
    expect(onlyApplication().running?.env).toMatchObject(spec.env);
    await run(runtime.steps.deploy, { ...spec, generation: 2, env: { A_KEY: "another-secret" } });
    expect(onlyApplication().running?.env).toMatchObject({ A_KEY: "another-secret" });
  });

  test("of more CPUs than the server has is refused with the engine's words", async () => {
    const { runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    const error = await failureOf(run(runtime.steps.deploy, { ...spec, limits: { ...spec.limits, cpus: 900 } }));
    expect(error).toMatchObject({ failure: "rejected", message: expect.stringContaining("Range of CPUs") });
  });

  test("on a server out of reach fails with what may pass", async () => {
    const { fake, runtime, run, onlyApplication, persist } = await coolifyWorld();
    const spec = coolifySpec();
    const back = fake.faults.add({ kind: "server_unreachable" });
    const error = await failureOf(run(runtime.steps.deploy, spec));
    expect(error).toMatchObject({ failure: "unavailable", message: expect.stringContaining("out of reach") });
    back();
    await persist(runtime.steps.deploy, spec);
    expect(onlyApplication().running).not.toBeNull();
  });

  test("whose reason the token may not read tells which ability is missing", async () => {
    const { fake, runtime, run, told } = await coolifyWorld({ token: "readWriteDeploy" });
    expect(told()).toContain("lacks read:sensitive");
    fake.faults.add({ kind: "failed_deployment", times: 1 });
    const error = await failureOf(run(runtime.steps.deploy, coolifySpec()));
    expect(error).toMatchObject({ failure: "rejected", message: expect.stringContaining("read:sensitive") });
  });

  test("is done when the sandbox only looks unhealthy for a moment", async () => {
    const { fake, runtime, run, sent, events, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.shows(onlyApplication().uuid, "running:unhealthy");
    events.splice(0);
    sent();
    const waiting = run(runtime.steps.deploy.slice(-1), spec);
    let looks = 0;
    await until("it is looked at again", () => ((looks += sent().length) > 1 ? true : undefined));
    expect(events.map(({ type }) => type)).toEqual(["starting"]);
    fake.shows(onlyApplication().uuid, "running:healthy");
    await waiting;
    expect(events.map(({ type }) => type)).toEqual(["starting", "healthy"]);
  });

  test("is not taken for good while the sandbox stays unhealthy", async () => {
    const { fake, runtime, run, onlyApplication, restarted } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.shows(onlyApplication().uuid, "running:unhealthy");
    const hasty = await restarted({ healthTimeoutMs: 300 });
    const error = await failureOf(run(hasty.steps.deploy.slice(-1), spec));
    expect(error).toMatchObject({ failure: "not_healthy", message: expect.stringContaining("running:unhealthy") });
    await run(runtime.steps.abandon, spec);
    expect(onlyApplication().running).toBeNull();
  });

  test("is not taken for good when the sandbox ends again and again; the next start makes another", async () => {
    const { fake, runtime, run, onlyApplication, restarted } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.shows(onlyApplication().uuid, "restarting:unknown");
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "restarting" });
    const hasty = await restarted({ healthTimeoutMs: 300 });
    const error = await failureOf(run(hasty.steps.deploy.slice(-1), spec));
    expect(error).toMatchObject({ failure: "sandbox_exited", message: expect.stringContaining("ended after") });
    await run(runtime.steps.start, spec);
    expect(onlyApplication().status).toBe("running:healthy");
  });
});

describe("a deploy that is taken up again", () => {
  test("waits for the deployment that is under way instead of starting another", async () => {
    const world = await coolifyWorld({ fake: { deploymentMs: 2_000 } });
    const { runtime, context, options, onlyApplication } = world;
    const spec = coolifySpec();
    const untilStarted = runtime.steps.deploy.findIndex(({ name }) => name === "deployment");
    for (const step of runtime.steps.deploy.slice(0, untilStarted)) await step.run(spec, context);
    const next = await world.restarted();
    await world.run(next.steps.deploy, spec);
    const { deployments } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(deployments.map(({ status }) => status)).toEqual(["finished"]);
  });

  test("can go on from any step", async () => {
    const names = (await coolifyWorld()).runtime.steps.deploy.map(({ name }) => name);
    for (const index of names.keys()) {
      const world = await coolifyWorld();
      const spec = coolifySpec();
      for (const step of world.runtime.steps.deploy.slice(0, index)) await step.run(spec, world.context);
      const next = await world.restarted();
      for (const step of next.steps.deploy.slice(index)) await step.run(spec, world.context);
      expect(world.onlyApplication()).toMatchObject({ status: "running:healthy", running: { image: spec.imageRef } });
      const { count } = await world.options.client.listApplicationDeployments(world.onlyApplication().uuid);
      expect(count).toBe(1);
    }
  });

  test("of an image that is pinned does not deploy again what runs", async () => {
    const digestOf = async () => `sha256:${"cd".repeat(32)}`;
    const { runtime, run, options, onlyApplication } = await coolifyWorld({ runtime: { digestOf } });
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    await run(runtime.steps.deploy, spec);
    const { count } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(count).toBe(1);
  });

  test("of a tag does, as the tag may mean another image by now", async () => {
    const { runtime, run, options, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    await run(runtime.steps.deploy, spec);
    const { count } = await options.client.listApplicationDeployments(onlyApplication().uuid);
    expect(count).toBe(2);
  });

  test("with another configuration does not settle for the deployment of the old one", async () => {
    const { runtime, run, context, onlyApplication } = await coolifyWorld({ fake: { deploymentMs: 150 } });
    const spec = coolifySpec();
    const untilStarted = runtime.steps.deploy.findIndex(({ name }) => name === "deployment");
    for (const step of runtime.steps.deploy.slice(0, untilStarted)) await step.run(spec, context);
    await run(runtime.steps.deploy, { ...spec, generation: 2, env: { NEWER: "yes" } });
    expect(onlyApplication().running?.env).toMatchObject({ NEWER: "yes" });
  });

  test("ends at once when the control plane stops, and leaves the deployment to the next run", async () => {
    const { fake, runtime, context, run, onlyApplication } = await coolifyWorld();
    const spec = coolifySpec();
    // Keeps the first look at the deployment from seeing its end.
    fake.faults.add({ kind: "slow", match: { path: /^\/deployments\/[^/]+$/ }, times: 1, ms: 60_000 });
    const stopping = new AbortController();
    const deploy = async () => {
      for (const step of runtime.steps.deploy) await step.run(spec, { ...context, signal: stopping.signal });
    };
    const failing = failureOf(deploy());
    await until("a deployment", () => fake.requests().find(({ path }) => path.endsWith("/start")));
    stopping.abort();
    expect((await failing).failure).toBe("timeout");
    expect(fake.requests().filter(({ path }) => path.endsWith("/cancel"))).toEqual([]);
    await run(runtime.steps.deploy, spec);
    expect(onlyApplication().running).not.toBeNull();
  });
});
