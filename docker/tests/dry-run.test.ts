import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { registryMissing, startRegistry, type TestRegistry } from "../../apps/api/tests/support/registry.ts";
import { z } from "zod";
import { run } from "./support/scripts.ts";
import { filled, workflow } from "./support/workflow.ts";

const repo = resolve(import.meta.dir, "../..");
const login = { username: "builder", password: "of this test alone" };
const cell = { flavor: "js", addon: "code-server" };

const Index = z.object({
  manifests: z.array(z.object({ annotations: z.record(z.string(), z.string()).optional() })),
});

describeUnless(engineMissing ?? registryMissing, "the workflow's scripts, run as on the main branch", () => {
  setDefaultTimeout(15 * 60_000);
  let registry: TestRegistry;
  let folder: string;
  let environment: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "agentpod-dry-run-"));
    registry = await startRegistry(login);
    environment = {
      REGISTRY_URL: registry.host,
      REGISTRY_OWNER: "acme",
      REGISTRY_USER: login.username,
      CACHE_REPOSITORY: `${registry.host}/acme/agentpod-cache`,
      CACHE_WRITE: "true",
      CACHE_MODE: "min",
      // The bill of materials needs an image from Docker Hub.
      ATTESTATIONS: "provenance",
      DOCKER_CONFIG: folder,
      MANIFEST_FILE: join(folder, "manifest.json"),
    };
  });
  afterAll(async () => {
    await forgetImages();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As another job on another machine starts: without what the one before made. */
  async function forgetImages(): Promise<void> {
    const { stdout } = await run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]);
    const ours = stdout.split("\n").filter((ref) => ref.startsWith(`${registry.host}/`));
    if (ours.length > 0) await run(["docker", "image", "rm", "--force", ...ours]);
  }

  async function manifestOf(name: string, reference: string) {
    const accept = "application/vnd.oci.image.index.v1+json";
    const authorization = `Basic ${btoa(`${login.username}:${login.password}`)}`;
    const answer = await fetch(`http://${registry.host}/v2/acme/${name}/manifests/${reference}`, {
      headers: { accept, authorization },
    });
    const digest = answer.headers.get("docker-content-digest");
    return { status: answer.status, digest, ...Index.parse(await answer.json()) };
  }

  const pushed = [
    { job: "build-base", name: "agentpod-base" },
    { job: "build-flavors", name: "agentpod-js" },
    { job: "build-addons", name: "agentpod-js-code-server" },
  ];
  for (const { job, name } of pushed) {
    test(`${job} builds, looks at and pushes ${name}`, async () => {
      await forgetImages();
      let told = "";
      for (const step of workflow.jobs[job]?.steps ?? []) {
        // On main nothing below is built; the checkout is this one.
        if (step.run === undefined || step.if?.includes("BUILD_BELOW") === true) continue;
        const [script = "", ...args] = filled(step.run, cell).split(" ");
        // The whole test of these images is a part of its own of CI; the manifest is compared elsewhere.
        if (script.endsWith("test-container.sh")) args.push("--only", "files");
        if (script.endsWith("manifest.sh")) args.splice(0);
        const secrets: Record<string, string> = step.env === undefined ? {} : { REGISTRY_PASSWORD: login.password };
        const outcome = await run([join(repo, script), ...args], "", { ...environment, ...secrets });
        expect([step.name, outcome.exitCode, outcome.exitCode === 0 ? "" : outcome.stderr.slice(-3_000)]).toEqual([
          step.name,
          0,
          "",
        ]);
        told = outcome.stdout;
      }
      const [, ref = "", digest = ""] = /^(\S+)@(sha256:[0-9a-f]{64})\n$/.exec(told) ?? [];
      expect(ref).toStartWith(`${registry.host}/acme/${name}:`);
      const manifest = await manifestOf(name, ref.slice(ref.lastIndexOf(":") + 1));
      expect([manifest.status, manifest.digest]).toEqual([200, digest]);
      const attestations = manifest.manifests.filter(
        (entry) => entry.annotations?.["vnd.docker.reference.type"] === "attestation-manifest",
      );
      expect(attestations).toHaveLength(1);
      expect((await manifestOf("agentpod-cache", name)).status).toBe(200);
    });
  }
});
