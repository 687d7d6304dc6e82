import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createImageInspector } from "../../src/runtimes/docker/index.ts";
import { createImageAvailabilities } from "../../src/services/image-availability.ts";
import { dockerSandboxes, freePort } from "../support/docker-sandboxes.ts";
import { describeUnless, engineMissing } from "../support/engine.ts";
import { publishImage, registryMissing, startRegistry, type TestRegistry } from "../support/registry.ts";
import { requireSandboxImage, sandboxImage } from "../support/sandbox-image.ts";

setDefaultTimeout(120_000);

describeUnless(engineMissing ?? registryMissing, "asking Docker where images are", () => {
  const { docker } = dockerSandboxes();
  const silent = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => undefined) });
  let registry: TestRegistry;

  beforeAll(async () => {
    await requireSandboxImage(docker);
    registry = await startRegistry();
  });
  afterAll(async () => {
    await silent.stop(true);
    await registry.close();
  });

  const inspectorWith = (registryTimeoutMs: number) =>
    createImageInspector({ docker, canBuild: ({ flavorId }) => flavorId === "js", registryTimeoutMs });
  // Through the service that caches the answers, as the API asks, but with patience: an engine that builds
  // something beside is slow.
  const patient = () => createImageAvailabilities({ inspector: inspectorWith(30_000), timeoutMs: 60_000 });
  const hasty = () => createImageAvailabilities({ inspector: inspectorWith(500), timeoutMs: 60_000 });
  const stateOf = async (imageRef: string, flavorId = "other") => {
    const [answer] = await patient()([{ imageRef, flavorId, addonIds: [] }]);
    return answer;
  };

  test("finds what the engine has, with its digest", async () => {
    expect(await stateOf(sandboxImage)).toEqual({
      state: "available",
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      compressedBytes: null,
    });
  });

  test("finds what a registry has", async () => {
    const imageRef = `${registry.host}/test/${randomUUID()}:1`;
    await publishImage(docker, imageRef, { layers: 1, layerBytes: 1024 });
    expect(await stateOf(imageRef)).toMatchObject({
      state: "available",
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test("tells what would have to be built from what cannot be had", async () => {
    const unpublished = `${registry.host}/test/${randomUUID()}:1`;
    expect(await stateOf(unpublished, "js")).toMatchObject({ state: "buildable", digest: null });
    expect(await stateOf(unpublished)).toMatchObject({ state: "absent" });
    expect(await stateOf("localhost/agentpod/none:1", "js")).toMatchObject({ state: "buildable" });
    expect(await stateOf("localhost/agentpod/none:1")).toMatchObject({ state: "absent" });
  });

  test("does not claim to know what it could not ask", async () => {
    expect(await stateOf(`127.0.0.1:${freePort()}/test/image:1`)).toMatchObject({ state: "unknown" });
    const asked = { imageRef: `127.0.0.1:${silent.port}/test/image:1`, flavorId: "other", addonIds: [] };
    expect(await hasty()([asked])).toMatchObject([{ state: "unknown" }]);
  });

  test("knows its own images although a registry is silent about many others", async () => {
    const others = Array.from({ length: 50 }, (_, index) => `127.0.0.1:${silent.port}/test/${index}:1`);
    const images = [...others, sandboxImage].map((imageRef) => ({ imageRef, flavorId: "other", addonIds: [] }));
    const found = await hasty()(images);
    const states: string[] = found.map(({ state }) => state);
    expect(states).toEqual([...others.map(() => "unknown"), "available"]);
  });

  test("asks for many at once within the time of one answer", async () => {
    const images = Array.from({ length: 200 }, (_, index) => ({
      imageRef: index % 2 === 0 ? sandboxImage : `localhost/agentpod/none-${index}:1`,
      flavorId: "js",
      addonIds: [],
    }));
    const found = await patient()(images);
    expect(found.map(({ state }) => state)).toEqual(
      images.map((_, index) => (index % 2 === 0 ? "available" : "buildable")),
    );
  });
});
