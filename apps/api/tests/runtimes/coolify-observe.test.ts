import { describe, expect, test } from "bun:test";
import { sandboxState, readStatus } from "../../src/runtimes/coolify/status.ts";
import { coolifySpec, coolifyWorld, failureOf } from "../support/coolify-sandboxes.ts";

describe("what Coolify shows of a sandbox", () => {
  test("is read from the state, not from the health behind it", () => {
    const states = [
      ["running:healthy", "running"],
      ["running:unhealthy", "running"],
      ["running:unknown", "running"],
      ["starting:unknown", "running"],
      ["paused:unknown", "paused"],
      ["restarting:unknown", "restarting"],
      ["degraded:unhealthy", "restarting"],
      ["exited:unhealthy", "exited"],
      ["exited", "exited"],
      ["dead:unknown", "exited"],
    ] as const;
    for (const [status, state] of states) expect(sandboxState(readStatus(status), true)).toBe(state);
    expect(sandboxState(readStatus("exited:unhealthy"), false)).toBe("created");
  });

  test("goes from absent over created to running, and says for which generation", async () => {
    const { runtime, context } = await coolifyWorld();
    const spec = coolifySpec({ generation: 7 });
    const seen: unknown[] = [];
    const look = async () => {
      const { state, generation } = await runtime.inspect(spec.projectId);
      seen.push([state, generation]);
    };
    await look();
    for (const step of runtime.steps.deploy) {
      await step.run(spec, context);
      if (step.name === "application" || step.name === "mark" || step.name === "healthy") await look();
    }
    expect(seen).toEqual([
      ["absent", null],
      ["created", null],
      ["exited", 7],
      ["running", 7],
    ]);
  });

  test("keeps to the generation that was configured before, until the next one is", async () => {
    const { runtime, run, context } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const next = { ...spec, generation: 2 };
    for (const step of runtime.steps.deploy) {
      if (step.name === "mark") break;
      await step.run(next, context);
      expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running", generation: 1 });
    }
  });

  test("is not known while its server is out of reach, so that nobody starts what runs", async () => {
    const { fake, runtime, run } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const back = fake.faults.add({ kind: "server_unreachable" });
    expect(await failureOf(runtime.inspect(spec.projectId))).toMatchObject({ failure: "unavailable" });
    back();
    expect(await runtime.inspect(spec.projectId)).toMatchObject({ state: "running" });
  });

  test("is listed in one request, one entry a project, and nothing of others", async () => {
    const { fake, runtime, run, options, sent } = await coolifyWorld();
    const specs = [coolifySpec(), coolifySpec(), coolifySpec()];
    for (const spec of specs) await run(runtime.steps.deploy, spec);
    await run(runtime.steps.stop, specs[2] ?? coolifySpec());
    for (const description of ["somebody's own", `agentpod:fedcba9876543210:prj_theirs`]) {
      await options.client.createDockerImageApp(fake.projectUuid, fake.serverUuid, {
        environment_name: fake.environmentName,
        name: "other",
        description,
        image: "nginx",
      });
    }
    sent();
    const listed = await runtime.list();
    expect(sent()).toEqual(["GET /applications"]);
    expect(new Map(listed.map(({ projectId, state }) => [projectId, state]))).toEqual(
      new Map(specs.map(({ projectId }, index) => [projectId, index === 2 ? "exited" : "running"])),
    );
  });

  test("leaves alone what somebody cloned, with its marker, from a sandbox that was configured", async () => {
    const { fake, runtime, run, options, recorded, told } = await coolifyWorld();
    const spec = coolifySpec();
    await run(runtime.steps.deploy, spec);
    const original = fake.applications()[0];
    await options.client.createDockerImageApp(fake.projectUuid, fake.serverUuid, {
      environment_name: fake.environmentName,
      name: "clone-of-it",
      description: original?.description ?? "",
      image: "nginx",
    });
    expect(await runtime.list()).toHaveLength(1);
    await run(runtime.steps.deploy, { ...spec, generation: 2 });
    expect(recorded.get(spec.projectId)).toBe(original?.uuid);
    expect(fake.applications().map(({ name, deletedPending }) => [name, deletedPending])).toEqual([
      [spec.slug, false],
      ["clone-of-it", false],
    ]);
    expect(told()).toContain("left alone");
  });
});
