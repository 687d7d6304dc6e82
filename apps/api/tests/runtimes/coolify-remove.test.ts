import { describe, expect, test } from "bun:test";
import { coolifySpec, coolifyWorld, failureOf, type CoolifyWorld } from "../support/coolify-sandboxes.ts";

const left = ({ fake }: CoolifyWorld) => [fake.applications(), fake.volumes(), fake.containers()];
const nothing = [[], [], []];

describe("removing a sandbox from Coolify", () => {
  test("leaves nothing of it, and spares the others and the server's images", async () => {
    const world = await coolifyWorld();
    const { fake, runtime, run, sent, recorded } = world;
    const [spec, other] = [coolifySpec(), coolifySpec()];
    await run(runtime.steps.deploy, spec);
    await run(runtime.steps.deploy, other);
    sent();
    await run(runtime.steps.remove, spec);
    expect(sent()).toContain(
      "DELETE /applications/*?delete_volumes=true&delete_configurations=true&docker_cleanup=false&delete_connected_networks=true",
    );
    expect(fake.applications().map(({ name }) => name)).toEqual([other.slug]);
    expect([fake.volumes().length, fake.containers().length]).toEqual([1, 1]);
    expect(recorded.get(spec.projectId)).toBeNull();
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "absent" });
    await run(runtime.steps.remove, spec);
  });

  test("waits until Coolify really has deleted it: its domains are free for the next", async () => {
    const world = await coolifyWorld();
    const { fake, runtime, run } = world;
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.faults.add({ kind: "deletion_lag", ms: 200, times: 1 });
    await run(runtime.steps.remove, spec);
    expect(left(world)).toEqual(nothing);
    await run(runtime.steps.deploy, coolifySpec({ urls: spec.urls }));
  });

  test("gives up in bounded time when Coolify does not come to it", async () => {
    const { fake, runtime, run, restarted } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    fake.faults.add({ kind: "deletion_lag", ms: 60_000, times: 1 });
    const hasty = await restarted({ deployTimeoutMs: 300 });
    expect(await failureOf(run(hasty.steps.remove, spec))).toMatchObject({
      failure: "timeout",
      message: expect.stringContaining("delete the application"),
    });
  });

  test("works from any half-made state", async () => {
    const steps = (await coolifyWorld()).runtime.steps.deploy.length;
    for (let done = 1; done <= steps; done += 1) {
      const world = await coolifyWorld();
      const spec = coolifySpec();
      for (const step of world.runtime.steps.deploy.slice(0, done)) await step.run(spec, world.context);
      world.recorded.clear();
      await world.run(world.runtime.steps.remove, spec);
      expect(left(world)).toEqual(nothing);
    }
  });

  test("cancels a deployment under way, which would leave a container behind", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    world.fake.faults.add({ kind: "stuck_deployment", times: 1 });
    const untilStarted = world.runtime.steps.deploy.findIndex(({ name }) => name === "deployment");
    for (const step of world.runtime.steps.deploy.slice(0, untilStarted)) await step.run(spec, world.context);
    world.sent();
    await world.run(world.runtime.steps.remove, spec);
    const requests = world.sent();
    const cancelled = requests.indexOf("POST /deployments/*/cancel");
    expect(cancelled).toBeGreaterThan(-1);
    expect(requests.findIndex((request) => request.startsWith("DELETE"))).toBeGreaterThan(cancelled);
    expect(left(world)).toEqual(nothing);
  });

  test("goes on after lost requests and answers", async () => {
    for (const kind of ["lost_answer", "lost_request", "server_error", "html_redirect"] as const) {
      const world = await coolifyWorld();
      const spec = coolifySpec();
      await world.run(world.runtime.steps.deploy, spec);
      world.fake.faults.add({ kind, match: { method: "DELETE" }, times: 3 });
      world.fake.faults.add({ kind, match: { method: "GET", path: /^\/applications\/[a-z0-9]+$/ }, times: 2 });
      await world.run(world.runtime.steps.remove, spec);
      expect(left(world)).toEqual(nothing);
    }
  });

  test("waits for a server that is out of reach, where its container and data would stay", async () => {
    const world = await coolifyWorld();
    const spec = coolifySpec();
    await world.run(world.runtime.steps.deploy, spec);
    const back = world.fake.faults.add({ kind: "server_unreachable" });
    const error = await failureOf(world.run(world.runtime.steps.remove, spec));
    expect(error).toMatchObject({ failure: "unavailable", message: expect.stringContaining("cannot reach") });
    expect(world.onlyApplication().deletedPending).toBeFalse();
    back();
    await world.run(world.runtime.steps.remove, spec);
    expect(left(world)).toEqual(nothing);
  });
});
