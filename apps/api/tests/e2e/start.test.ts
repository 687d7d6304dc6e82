import { afterAll, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { makeOldDatabase, oldProjects } from "../support/old-database.ts";

const repoRoot = resolve(import.meta.dir, "../../../..");
const folders: string[] = [];
const folder = (): string => {
  const made = newDataDir();
  folders.push(made);
  return made;
};
afterAll(() => folders.forEach(removeDataDir));

/** Starts the API where it is expected not to come up. */
async function failToStart(env: Record<string, string>): Promise<{ exitCode: number; stderr: string }> {
  const child = Bun.spawn([process.execPath, "apps/api/src/index.ts"], {
    cwd: repoRoot,
    env: { PATH: process.env["PATH"] ?? "", PORT: "0", DATA_DIR: folder(), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stderr] = await Promise.all([child.stderr.text(), child.stdout.text(), child.exited]);
  return { exitCode: child.exitCode ?? -1, stderr };
}

describe("the start", () => {
  test("is refused with every wrong value listed and no stack", async () => {
    const { exitCode, stderr } = await failToStart({
      PORT: "http",
      RUNTIME: "podman",
      API_TOKEN: "short-and-secret x",
    });
    expect(exitCode).toBe(78);
    for (const name of ["PORT", "RUNTIME", "API_TOKEN"]) expect(stderr).toContain(`${name}: must be`);
    expect(stderr).not.toContain("short-and-secret");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("is refused when the engine that was asked for does not answer", async () => {
    const { exitCode, stderr } = await failToStart({ RUNTIME: "docker", DOCKER_HOST: "unix:///nowhere/docker.sock" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("DOCKER_HOST");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("takes a process where auto finds no engine, and says why", async () => {
    const dataDir = folder();
    const api = await startApi({ dataDir, env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
    expect((await call(api.url, "GET", "/ready")).status).toBe(200);
    expect(api.output()).toContain("no Docker engine answers");
    expect(await api.end("SIGINT")).toBe(0);
  });

  test("ends when it is told to while Coolify keeps it waiting", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => {
        asked.resolve();
        return new Promise<Response>(() => {});
      },
    });
    const child = Bun.spawn([process.execPath, "apps/api/src/index.ts"], {
      cwd: repoRoot,
      env: {
        PATH: process.env["PATH"] ?? "",
        PORT: "0",
        DATA_DIR: folder(),
        RUNTIME: "coolify",
        COOLIFY_URL: silent.url.origin,
        COOLIFY_TOKEN: "1|abcdefgh",
        COOLIFY_PROJECT_UUID: "project",
        COOLIFY_SERVER_UUID: "server",
        REGISTRY_URL: "127.0.0.1:1",
        WILDCARD_DOMAIN: "example.com",
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    await asked.promise;
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await silent.stop(true);
  });

  test("is refused on a database that another API uses, and on a taken port", async () => {
    const dataDir = folder();
    const api = await startApi({ dataDir, env: { RUNTIME: "process" } });
    const second = await failToStart({ RUNTIME: "process", DATA_DIR: dataDir });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("Another AgentPod process uses");
    const third = await failToStart({ RUNTIME: "process", PORT: new URL(api.url).port });
    expect(third.exitCode).toBe(1);
    expect(third.stderr).toContain("set another PORT");
    await api.end("SIGTERM");
  });

  test("is refused with another encryption key file's permissions than the owner's alone", async () => {
    const dataDir = folder();
    await Bun.write(join(dataDir, "encryption.key"), `${"ab".repeat(32)}\n`);
    const { exitCode, stderr } = await failToStart({ RUNTIME: "process", DATA_DIR: dataDir });
    expect(exitCode).toBe(78);
    expect(stderr).toContain("chmod");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("is refused in one line when its folder cannot be used", async () => {
    for (const DATA_DIR of ["/dev/null/x", "/proc/x"]) {
      const { exitCode, stderr } = await failToStart({ RUNTIME: "process", DATA_DIR });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^agentpod: DATA_DIR .* cannot be used .*\n$/);
    }
  });

  test("answers nobody without the token when there is one", async () => {
    const dataDir = folder();
    const API_TOKEN = "0123456789abcdef0123456789abcdef";
    const api = await startApi({ dataDir, env: { RUNTIME: "process", API_TOKEN } });
    expect((await call(api.url, "GET", "/api/flavors")).status).toBe(401);
    expect((await call(api.url, "GET", "/health")).status).toBe(200);
    expect(
      (await call(api.url, "GET", "/api/flavors", undefined, { authorization: `Bearer ${API_TOKEN}` })).status,
    ).toBe(200);
    expect(api.output()).not.toContain(API_TOKEN);
    await api.end("SIGTERM");
  });
});

describe("a database from before the modular containers", () => {
  test("is backed up, migrated and served; projects keep their names and get what their tier meant", async () => {
    const dataDir = folder();
    makeOldDatabase(join(dataDir, "agentpod.db"));
    const api = await startApi({ dataDir, env: { RUNTIME: "process" } });
    expect(api.output()).toContain("agentpod.db.backup-2-");
    const { body } = await call(api.url, "GET", "/api/projects");
    const made = Object.fromEntries(
      body.projects.map((project) => [project.id, [project.resourceTierId, project.flavorId, project.addonIds.join()]]),
    );
    expect(made).toEqual({
      "p-lite": ["starter", "fullstack", "code-server"],
      "p-standard": ["builder", "fullstack", "code-server"],
      "p-pro": ["creator", "fullstack", "code-server"],
      "p-desktop": ["creator", "fullstack", "gui,code-server"],
      "p-unknown": ["starter", "fullstack", "code-server"],
      "p-none": ["starter", "fullstack", "code-server"],
    });
    expect(body.projects).toHaveLength(oldProjects.length);
    const refused = await call(api.url, "POST", "/api/projects/p-lite/start");
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe("runtime_mismatch");
    await api.end("SIGTERM");
  });
});
