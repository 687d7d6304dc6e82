import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createRegistryClient } from "@agentpod/oci";
import { createImageInspector } from "../../src/runtimes/docker/index.ts";
import { createRegistryInspector } from "../../src/runtimes/registry/inspector.ts";
import { dockerSandboxes, freePort, runSteps, sandboxSpec } from "../support/docker-sandboxes.ts";
import { describeUnless, engineMissing } from "../support/engine.ts";
import { publishImage, registryMissing, startRegistry, type TestRegistry } from "../support/registry.ts";

const LAYERS = 3;
const LAYER_BYTES = 20_000;
const login = { username: "alice", password: "a-password-of-the-registry" };

setDefaultTimeout(120_000);

describeUnless(engineMissing ?? registryMissing, "an image in a real registry", () => {
  const { docker, keep, runtime } = dockerSandboxes();
  let open: TestRegistry;
  let guarded: TestRegistry;

  beforeAll(async () => {
    open = await startRegistry();
    guarded = await startRegistry(login);
  });
  afterAll(async () => {
    await open.close();
    await guarded.close();
  });

  async function published({ host }: TestRegistry): Promise<string> {
    const imageRef = `${host}/test/${randomUUID()}:1`;
    const needed = host === guarded.host ? { login } : {};
    await publishImage(docker, imageRef, { layers: LAYERS, layerBytes: LAYER_BYTES, ...needed });
    return imageRef;
  }

  async function pull(imageRef: string, credentials?: () => typeof login): Promise<string> {
    const { steps } = await runtime({ credentials });
    await runSteps(steps.deploy.slice(0, 1), sandboxSpec({ imageRef }));
    return keep(imageRef);
  }

  async function inspect(imageRef: string, canBuild = false) {
    const registry = createRegistryInspector({
      client: createRegistryClient(),
      logger: { debug: () => undefined },
    });
    const inspector = createImageInspector({ docker, canBuild: () => canBuild, registry });
    const found = await inspector.inspect([{ imageRef, flavorId: "js", addonIds: [] }], new AbortController().signal);
    return found.get(imageRef);
  }

  test("has the digest that the engine knows it by, and the size of what a pull fetches", async () => {
    const imageRef = await published(open);
    const client = createRegistryClient();
    const found = await client.resolve(imageRef);
    expect(await client.digestOf(imageRef)).toBe(found?.digest ?? "");
    // Random bytes cannot be compressed; the config and what frames the files come on top.
    expect(found?.compressedBytes).toBeGreaterThan(LAYERS * LAYER_BYTES);
    expect(found?.compressedBytes).toBeLessThan(LAYERS * LAYER_BYTES + 5_000);
    expect(await inspect(imageRef)).toEqual({
      state: "available",
      digest: found?.digest ?? "",
      compressedBytes: found?.compressedBytes ?? 0,
    });

    const { RepoDigests } = await docker.getImage(await pull(imageRef)).inspect();
    expect(RepoDigests).toEqual([`${imageRef.replace(/:1$/, "")}@${found?.digest}`]);
    // What the engine has already is not asked for again.
    expect(await inspect(imageRef)).toEqual({
      state: "available",
      digest: found?.digest ?? "",
      compressedBytes: null,
    });
  });

  test("that is not there can be built, or cannot be had", async () => {
    const imageRef = `${open.host}/test/${randomUUID()}:1`;
    expect(await inspect(imageRef)).toMatchObject({ state: "absent" });
    expect(await inspect(imageRef, true)).toMatchObject({ state: "buildable" });
  });

  test("is unknown when its registry is down, unless the engine has it", async () => {
    expect(await inspect(`127.0.0.1:${freePort()}/test/image:1`)).toMatchObject({ state: "unknown" });
    const passing = await startRegistry();
    const imageRef = await pull(await published(passing));
    await passing.close();
    expect(await inspect(imageRef)).toMatchObject({ state: "available" });
  });

  test("is seen and pulled with a login where the registry wants one", async () => {
    const imageRef = await published(guarded);
    const digest = await createRegistryClient({ credentials: () => login }).digestOf(imageRef);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    await expect(createRegistryClient().digestOf(imageRef)).rejects.toMatchObject({ failure: "unauthorized" });

    await expect(pull(imageRef)).rejects.toMatchObject({ failure: "image_unavailable" });
    const wrong = { ...login, password: "another-password" };
    const refused: unknown = await pull(imageRef, () => wrong).catch((error: unknown) => error);
    expect(refused).toMatchObject({ failure: "image_unavailable" });
    expect(String(refused)).not.toContain(wrong.password);
    const { RepoDigests } = await docker.getImage(await pull(imageRef, () => login)).inspect();
    expect(RepoDigests).toEqual([`${imageRef.replace(/:1$/, "")}@${digest}`]);
  });
});
