import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createProviderCredential, listEvents, updateProvider } from "../../src/models/index.ts";
import { containerSettings } from "../../src/runtimes/docker/container-settings.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";
import { sandboxSpec } from "../support/docker-sandboxes.ts";
import { systemTable } from "../support/process-world.ts";
import { createProjects } from "../support/projects.ts";

let world: Awaited<ReturnType<typeof createProjects>>;
beforeEach(async () => {
  world = await createProjects();
});
afterEach(async () => await world.close());

const input = { name: "Test", flavorId: "js", addonIds: [] };
const set = (id: string, value: string, label = "default") => world.providers.setCredential(id, { value, label });

async function made() {
  const { project, operation } = await world.projects.create(input);
  expect(await world.end(operation)).toMatchObject({ status: "succeeded", error: null });
  return project.id;
}

/** What the sandbox's own process has of the providers' variables. */
async function environmentOf(id: string): Promise<Record<string, string>> {
  const { gatewayUrl } = world.projects.get(id);
  const token = await Bun.file(`${world.dataDir}/projects/${id}/gateway-token`).text();
  const answer = await fetch(`${gatewayUrl}/environment`, { headers: { authorization: `Bearer ${token.trim()}` } });
  const { env } = (await answer.json()) as { env: Record<string, string> };
  expect(env["AGENTPOD_PROJECT_ID"]).toBe(id);
  return Object.fromEntries(Object.entries(env).filter(([name]) => /_(API_KEY|BASE_URL)$/.test(name)));
}

describe("a sandbox", () => {
  test("gets the credentials of all enabled providers, and none of others", async () => {
    set("anthropic", "sk-anthropic");
    set("google", 'g-key with $a "no"');
    set("openai", "sk-openai");
    set("xai", "sk-xai");
    updateProvider(world.db, "xai", { isEnabled: false });
    updateProvider(world.db, "openai", { baseUrl: "https://proxy.example.com/v1" });
    expect(await environmentOf(await made())).toEqual({
      ANTHROPIC_API_KEY: "sk-anthropic",
      GEMINI_API_KEY: 'g-key with $a "no"',
      GOOGLE_GENERATIVE_AI_API_KEY: 'g-key with $a "no"',
      OPENAI_API_KEY: "sk-openai",
      OPENAI_BASE_URL: "https://proxy.example.com/v1",
    });
  });

  test("gets the credential labelled default, else the one stored last", async () => {
    set("groq", "first", "a");
    set("groq", "second", "b");
    expect(world.providers.environment()).toEqual({ GROQ_API_KEY: "second" });
    world.db.run("UPDATE provider_credentials SET updated_at = '2026-01-01T00:00:00.000Z'");
    set("groq", "replaced", "a");
    expect(world.providers.environment()).toEqual({ GROQ_API_KEY: "replaced" });
    set("groq", "chosen");
    world.db.run("UPDATE provider_credentials SET updated_at = '2026-01-01T00:00:00.000Z'");
    set("groq", "later", "z");
    expect(world.providers.environment()).toEqual({ GROQ_API_KEY: "chosen" });
    world.providers.removeCredentials("groq", "default");
    expect(world.providers.environment()).toEqual({ GROQ_API_KEY: "later" });
    world.providers.removeCredentials("groq");
    expect(world.providers.environment()).toEqual({});
  });

  test.each(["start", "restart", "deploy"] as const)("that runs keeps what it has until its next %s", async (verb) => {
    const id = await made();
    const { startedAt } = await world.runtime.inspect(id);
    set("mistral", "sk-new");
    expect(await environmentOf(id)).toEqual({});
    expect(await world.runtime.inspect(id)).toMatchObject({ startedAt, generation: 1 });
    await world.end((await world.projects[verb](id)).operation);
    expect(await environmentOf(id)).toEqual({ MISTRAL_API_KEY: "sk-new" });
    expect((await world.runtime.inspect(id)).generation).toBe(verb === "deploy" ? 3 : 2);
    world.providers.removeCredentials("mistral");
    await world.end((await world.projects.stop(id)).operation);
    await world.end((await world.projects[verb](id)).operation);
    expect(await environmentOf(id)).toEqual({});
  });

  test("is told that it changed meanwhile only when a change was under way", async () => {
    const id = await made();
    const changing = world.projects.update(id, { resourceTierId: "power" });
    set("mistral", "sk-new");
    await expect(changing).rejects.toMatchObject({ code: "conflict" });
    expect(world.projects.get(id).resourceTierId).toBe("starter");
    await world.end((await world.projects.update(id, { resourceTierId: "power" })).operation);
    expect(await environmentOf(id)).toEqual({ MISTRAL_API_KEY: "sk-new" });
  });

  test("is not made with a credential that another key sealed, and the failure says what to do", async () => {
    const other = createSecretBox(new Uint8Array(randomBytes(32)));
    createProviderCredential(world.db, other, { providerId: "openai", label: "default", value: "sk-lost" });
    const { project, operation } = await world.projects.create(input);
    const ended = await world.end(operation);
    expect(ended).toMatchObject({ status: "failed", error: { code: "rejected" } });
    expect(ended.error?.message).toContain("the credential 'default' of the provider openai cannot be opened");
    expect(ended.error?.message).toContain("PUT /api/providers/openai/credentials");
    expect(world.projects.get(project.id)).toMatchObject({ status: "error", statusReason: { code: "rejected" } });
    expect(world.providers.secrets()).toEqual([]);
    set("openai", "sk-again");
    await world.end((await world.projects.start(project.id)).operation);
    expect(await environmentOf(project.id)).toEqual({ OPENAI_API_KEY: "sk-again" });
    createProviderCredential(world.db, other, { providerId: "xai", label: "default", value: "sk-lost" });
    expect((await world.end((await world.projects.stop(project.id)).operation)).status).toBe("succeeded");
    expect((await world.end((await world.projects.remove(project.id)).operation)).status).toBe("succeeded");
  });

  test("has a credential in its environment alone: not in arguments, files, events, status or log", async () => {
    const value = "sk-ant-very-secret-0123456789";
    set("anthropic", value);
    const id = await made();
    expect(await environmentOf(id)).toEqual({ ANTHROPIC_API_KEY: value });
    const token = (await Bun.file(`${world.dataDir}/projects/${id}/gateway-token`).text()).trim();
    const printed = `it prints ${value} twice ${value}, and ${token}\n`;
    await Bun.write(`${world.dataDir}/projects/${id}/gateway.log`, printed);
    const log = await world.reader.logs(id, { tail: 10, follow: false });
    const lines = await Array.fromAsync(log(AbortSignal.timeout(5_000)));
    expect(lines.map(({ message }) => message)).toEqual(["it prints [redacted] twice [redacted], and [redacted]"]);
    await Bun.write(`${world.dataDir}/projects/${id}/gateway.log`, "");

    const commands = (await systemTable().scan()).map(({ command }) => command);
    expect(commands.some((command) => command.includes(id))).toBe(true);
    const shown = [
      commands,
      await world.reader.status(id),
      world.projects.get(id),
      world.providers.list(),
      listEvents(world.db, { after: 0, limit: 100 }),
    ];
    expect(JSON.stringify(shown)).not.toContain(value);
    for await (const file of new Bun.Glob("**/*").scan({ cwd: world.dataDir, dot: true })) {
      const bytes = Buffer.from(await Bun.file(`${world.dataDir}/${file}`).arrayBuffer());
      expect([file, bytes.includes(value)]).toEqual([file, false]);
    }
  });
});

describe("a container", () => {
  test("has credentials in its environment alone", () => {
    set("anthropic", "sk-ant-very-secret");
    const spec = sandboxSpec({ env: world.providers.environment() });
    const { Env, ...rest } = containerSettings(spec, {
      facts: { version: "26", cpus: 4, memoryBytes: 8 * 1024 ** 3, limits: true, gpuRequest: null },
      instanceId: "here",
      wildcardDomain: "pods.example.org",
      stopTimeoutSeconds: 10,
      imageId: "sha256:1",
    });
    expect(Env).toContain("ANTHROPIC_API_KEY=sk-ant-very-secret");
    expect(JSON.stringify(rest)).not.toContain("very-secret");
  });
});
