import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { getMeta } from "../../src/models/meta.ts";
import { noteSandboxEnvironment, secretsOfEnvironment } from "../../src/services/sandbox-environment.ts";
import { createProjects } from "../support/projects.ts";

/** As the file has it; the record that the projects keep is changed below. */
const sandboxEnv: Record<string, string> = {};
let world: Awaited<ReturnType<typeof createProjects>>;
beforeEach(async () => {
  for (const name of Object.keys(sandboxEnv)) delete sandboxEnv[name];
  world = await createProjects({ sandboxEnv });
});
afterEach(async () => await world.close());

const end = async ({ operation }: { operation: { id: string } | null }) =>
  expect(await world.end(operation)).toMatchObject({ status: "succeeded", error: null });

async function made(): Promise<string> {
  const accepted = await world.projects.create({ name: "Test", flavorId: "js", addonIds: [] });
  await end(accepted);
  return accepted.project.id;
}

/** The API is started again with other lines in the file. */
function configure(variables: Record<string, string>): boolean {
  for (const name of Object.keys(sandboxEnv)) delete sandboxEnv[name];
  Object.assign(sandboxEnv, variables);
  return noteSandboxEnvironment(world.db, sandboxEnv);
}

async function environmentOf(id: string): Promise<Record<string, string>> {
  const token = await Bun.file(`${world.dataDir}/projects/${id}/gateway-token`).text();
  const headers = { authorization: `Bearer ${token.trim()}` };
  const answer = await fetch(`${world.projects.get(id).gatewayUrl}/environment`, { headers });
  return ((await answer.json()) as { env: Record<string, string> }).env;
}

describe("the variables that are configured for all sandboxes", () => {
  test("are in each, and a provider's credential goes before one of the same name", async () => {
    configure({ HTTPS_PROXY: "http://proxy.example:3128", OPENAI_API_KEY: "of-the-file", GROQ_API_KEY: "of-the-file" });
    world.providers.setCredential("openai", { value: "of-the-api", label: "default" });
    expect(await environmentOf(await made())).toMatchObject({
      HTTPS_PROXY: "http://proxy.example:3128",
      OPENAI_API_KEY: "of-the-api",
      GROQ_API_KEY: "of-the-file",
    });
  });

  test.each(["start", "restart", "deploy"] as const)(
    "reach a sandbox that runs at its next %s, and until then are told as an older configuration",
    async (verb) => {
      const id = await made();
      const { startedAt } = await world.runtime.inspect(id);
      expect(configure({ AGENTPOD_AGENT_INSTALL: "1", GONE: "later" })).toBe(true);
      for (let looks = 0; looks < 2; looks += 1) {
        expect((await world.reconciler.reconcile()).drift).toMatchObject([
          { projectId: id, kind: "outdated", action: "none", operationId: null },
        ]);
      }
      expect(await world.runtime.inspect(id)).toMatchObject({ state: "running", startedAt });
      expect(await environmentOf(id)).not.toHaveProperty("AGENTPOD_AGENT_INSTALL");
      await end(await world.projects[verb](id));
      expect(await environmentOf(id)).toMatchObject({ AGENTPOD_AGENT_INSTALL: "1", GONE: "later" });
      expect((await world.reconciler.reconcile()).drift).toEqual([]);
      expect(configure({ AGENTPOD_AGENT_INSTALL: "1" })).toBe(true);
      await end(await world.projects[verb](id));
      const env = await environmentOf(id);
      expect([env["AGENTPOD_AGENT_INSTALL"], env["GONE"]]).toEqual(["1", undefined]);
    },
  );

  test("change nothing as long as they are the same, in whatever order", async () => {
    const id = await made();
    expect(configure({})).toBe(false);
    expect(configure({ A: "1", B: "2" })).toBe(true);
    const generation = () => world.db.query("SELECT generation FROM projects WHERE id = ?").get(id);
    const before = generation();
    expect(configure({ B: "2", A: "1" })).toBe(false);
    expect(generation()).toEqual(before);
    expect(configure({ A: "2", B: "1" })).toBe(true);
    expect(configure({})).toBe(true);
    expect(configure({})).toBe(false);
  });

  test("are not in the database", () => {
    configure({ MIRROR_TOKEN: "hunter2hunter2" });
    expect(getMeta(world.db, "sandbox_env_hash")).toStartWith("$argon2id$");
    expect(Buffer.from(world.db.serialize()).includes("hunter2")).toBe(false);
  });
});

test("a log shows neither the values nor a password within one", () => {
  expect(
    secretsOfEnvironment({ A: "a-plain-value", P: "http://me:p%40ssword@proxy.example:3128", N: "http://x:%zz-%zz@a" }),
  ).toEqual(
    expect.arrayContaining(["a-plain-value", "http://me:p%40ssword@proxy.example:3128", "p%40ssword", "p@ssword"]),
  );
});
