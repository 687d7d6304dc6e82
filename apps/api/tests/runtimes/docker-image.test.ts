import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createScriptBuilder } from "../../src/runtimes/docker/index.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { dockerSandboxes, freePort, runSteps, sandboxSpec, type SeenEvent } from "../support/docker-sandboxes.ts";
import { describeUnless, engineMissing } from "../support/engine.ts";
import {
  publishImage,
  registryMissing,
  slowDown,
  startRegistry,
  type SlowRegistry,
  type TestRegistry,
} from "../support/registry.ts";
import { requireSandboxImage, sandboxImage } from "../support/sandbox-image.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { until } from "../support/wait.ts";

const LAYERS = 3;
const LAYER_BYTES = 4 * 1024 ** 2;
const tempFolder = tempFolders();

setDefaultTimeout(120_000);

describeUnless(engineMissing ?? registryMissing, "the image of a sandbox on Docker", () => {
  const { docker, runtime: createRuntime, keep } = dockerSandboxes();
  let registry: TestRegistry;
  let slow: SlowRegistry;
  let runtime: Runtime;

  beforeAll(async () => {
    await requireSandboxImage(docker);
    runtime = await createRuntime();
    registry = await startRegistry();
    slow = slowDown(registry, 256 * 1024, 50);
  });
  afterAll(async () => {
    await slow.close();
    await registry.close();
  });

  /** A new image in the registry, by its name at the slow one. */
  async function published(): Promise<string> {
    const path = `test/${randomUUID()}:1`;
    await publishImage(docker, `${registry.host}/${path}`, { layers: LAYERS, layerBytes: LAYER_BYTES });
    return keep(`${slow.host}/${path}`);
  }

  const ensure = (imageRef: string, options: Parameters<typeof runSteps>[2] = {}, from: Runtime = runtime) =>
    runSteps(from.steps.deploy.slice(0, 1), sandboxSpec({ imageRef, addonIds: ["code-server"] }), options);
  const figures = (events: SeenEvent[], name: string) => events.map(({ data }) => Number(data[name]));

  test("is pulled with its bytes counted on the way", async () => {
    const imageRef = await published();
    const startedAt = performance.now();
    const events = await ensure(imageRef);
    const seconds = (performance.now() - startedAt) / 1000;
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["pulling"]));
    expect(events.length).toBeGreaterThan(3);
    expect(events.length).toBeLessThan(seconds * 4 + 3);
    for (const name of ["currentBytes", "totalBytes", "layersDone", "layersTotal"]) {
      expect(figures(events, name)).toEqual(figures(events, name).toSorted((a, b) => a - b));
    }
    const current = figures(events, "currentBytes");
    const last = events.at(-1)?.data;
    expect(last?.["currentBytes"]).toBe(last?.["totalBytes"]);
    expect(last).toMatchObject({ imageRef, layersDone: LAYERS, layersTotal: LAYERS });
    expect(current.at(-1)).toBeGreaterThanOrEqual(LAYERS * LAYER_BYTES);
    expect(current.some((bytes) => bytes > 0 && bytes < (current.at(-1) ?? 0))).toBe(true);
    expect(await ensure(imageRef)).toEqual([]);
  });

  test("is pulled for two at the same time", async () => {
    const imageRef = await published();
    const [one, other] = await Promise.all([ensure(imageRef), ensure(imageRef)]);
    for (const events of [one, other]) expect(events.at(-1)?.type).toBe("pulling");
  });

  test("is pulled no further once nobody wants it", async () => {
    const imageRef = await published();
    const stop = new AbortController();
    const onEvent = ({ data }: SeenEvent) => {
      if (Number(data["currentBytes"]) > 0) stop.abort();
    };
    await expect(ensure(imageRef, { signal: stop.signal, onEvent })).rejects.toMatchObject({ failure: "timeout" });
    await until("the registry is left alone", () => slow.sending() === 0 || undefined, 10_000);
    await ensure(imageRef);
  });

  test("is not to be had when the registry does not know it", async () => {
    const refused = ensure(`${registry.host}/test/unknown:1`);
    await expect(refused).rejects.toMatchObject({ failure: "image_unavailable" });
    await expect(refused).rejects.toThrow(/not found.*docker\/scripts\/build.sh --flavor js --addon code-server/);
  });

  test("is not to be had when there is no registry", async () => {
    const refused = ensure(`127.0.0.1:${freePort()}/test/image:1`);
    await expect(refused).rejects.toMatchObject({ failure: "image_unavailable" });
    await expect(refused).rejects.toThrow(/connection refused/);
  });

  test("may be had later when the registry is busy", async () => {
    slow.answerWith(503);
    try {
      await expect(ensure(`${slow.host}/test/image:1`)).rejects.toMatchObject({ failure: "unavailable" });
    } finally {
      slow.answerWith(null);
    }
  });

  test("is built when it is in no registry, once for two who want it", async () => {
    const repoRoot = tempFolder();
    const imageRef = keep(`localhost/agentpod-test/built-${randomUUID()}:1`);
    const script = `#!/bin/sh\necho built >> ${repoRoot}/builds\necho step one >&2\ndocker tag ${sandboxImage} ${imageRef}\necho ${imageRef}\n`;
    const files = ["docker/base/Dockerfile", "docker/flavors/js/Dockerfile", "docker/addons/code-server/Dockerfile"];
    for (const file of [...files, "docker/scripts/build.sh"]) {
      mkdirSync(dirname(join(repoRoot, file)), { recursive: true });
      writeFileSync(join(repoRoot, file), file.endsWith(".sh") ? script : "");
    }
    chmodSync(join(repoRoot, "docker/scripts/build.sh"), 0o755);
    const builder = await createRuntime({ buildImage: createScriptBuilder({ repoRoot, env: process.env }) });
    const both = await Promise.all([ensure(imageRef, {}, builder), ensure(imageRef, {}, builder)]);
    expect(both.flat().map(({ type }) => type)).toContain("building");
    expect(await Bun.file(join(repoRoot, "builds")).text()).toBe("built\n");
    expect((await docker.getImage(imageRef).inspect()).Id).toBe((await docker.getImage(sandboxImage).inspect()).Id);
  });
});
