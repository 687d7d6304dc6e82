import { beforeAll, expect, test } from "bun:test";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { dockerSandboxes, runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeWithEngine } from "../support/engine.ts";
import { idsOf } from "../support/ids-of.ts";
import { dockerLeftovers } from "../support/leftovers.ts";
import { requireSandboxImage } from "../support/sandbox-image.ts";

describeWithEngine("removing a sandbox from Docker", () => {
  const { docker, runtime: createRuntime } = dockerSandboxes();
  let runtime: Runtime;

  beforeAll(async () => {
    await requireSandboxImage(docker);
    runtime = await createRuntime();
  });

  const upTo = (name: string) => {
    const { deploy } = runtime.steps;
    return deploy.slice(0, deploy.findIndex((step) => step.name === name) + 1);
  };

  test.each(["image", "volume", "container", "start", "healthy"])("leaves nothing after the step %s", async (name) => {
    const spec = sandboxSpec();
    await runSteps(upTo(name), spec);
    await runSteps(runtime.steps.remove, spec);
    expect(dockerLeftovers(spec.projectId)).toEqual([]);
    expect(await idsOf(runtime)).not.toContain(spec.projectId);
    expect(await runtime.inspect(spec.projectId)).toEqual({
      projectId: spec.projectId,
      state: "absent",
      generation: null,
      startedAt: null,
      exitCode: null,
    });
    await runSteps(runtime.steps.remove, spec);
  });

  test("works for two at the same time", async () => {
    const spec = sandboxSpec();
    await runSteps(upTo("start"), spec);
    await Promise.all([runSteps(runtime.steps.remove, spec), runtime.sweep(spec.projectId)]);
    expect(dockerLeftovers(spec.projectId)).toEqual([]);
  });

  test("finds what is left of a project by its container or its volume alone, and sweeps it", async () => {
    const withVolume = sandboxSpec();
    const withContainer = sandboxSpec();
    await runSteps(upTo("volume"), withVolume);
    await runSteps(upTo("container"), withContainer);
    expect((await idsOf(runtime)).toSorted()).toEqual([withVolume.projectId, withContainer.projectId].toSorted());
    for (const { projectId } of [withVolume, withContainer]) await runtime.sweep(projectId);
    expect(await idsOf(runtime)).toEqual([]);
    await runtime.sweep("prj_never_was");
  });

  test("touches nothing of another installation", async () => {
    const spec = sandboxSpec();
    await runSteps(upTo("container"), spec);
    const other = await createRuntime({ instanceId: `other-${spec.projectId}` });
    expect(await idsOf(other)).toEqual([]);
    expect(await other.inspect(spec.projectId)).toMatchObject({ state: "absent" });
    await expect(runSteps(other.steps.remove, spec)).rejects.toMatchObject({ failure: "rejected" });
    await expect(runSteps(other.steps.deploy, spec)).rejects.toMatchObject({ failure: "rejected" });
    expect(dockerLeftovers(spec.projectId)).toHaveLength(2);
    await runSteps(runtime.steps.remove, spec);
  });

  test("says that a sandbox is gone when it is to be started or read", async () => {
    const spec = sandboxSpec();
    await expect(runSteps(runtime.steps.start, spec)).rejects.toMatchObject({ failure: "not_found" });
    const reading = Array.fromAsync(
      runtime.logs(spec.projectId, { tail: 1, follow: false, signal: new AbortController().signal }),
    );
    await expect(reading).rejects.toMatchObject({ failure: "not_found" });
    await runSteps(runtime.steps.stop, spec);
  });
});
