import { randomUUID } from "node:crypto";
import { afterEach, expect, test } from "bun:test";
import { connectDocker } from "../../src/runtimes/docker/connect.ts";
import { createNetworkStep } from "../../src/runtimes/docker/ensure-network.ts";
import { runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeWithEngine, engineHost } from "../support/engine.ts";

describeWithEngine("the network of the sandboxes on Docker", () => {
  const docker = connectDocker(engineHost);
  const name = `agentpod-test-${randomUUID()}`;
  const named = () => docker.listNetworks({ filters: { name: [name] } });

  afterEach(async () => {
    for (const { Id } of await named()) await docker.getNetwork(Id).remove();
  });

  test("is made once, also by many at once, and lets nobody reach another", async () => {
    const step = createNetworkStep(docker, name);
    await Promise.all(Array.from({ length: 8 }, () => runSteps([step], sandboxSpec())));
    const networks = await named();
    expect(networks).toHaveLength(1);
    expect(networks[0]?.Options).toMatchObject({ "com.docker.network.bridge.enable_icc": "false" });
  });

  test("is not used when somebody made it without that", async () => {
    await docker.createNetwork({ Name: name, Driver: "bridge" });
    const running = runSteps([createNetworkStep(docker, name)], sandboxSpec());
    await expect(running).rejects.toMatchObject({ failure: "rejected" });
    await expect(running).rejects.toThrow(`docker network rm ${name}`);
  });
});
