import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError, loadConfig } from "../../src/config.ts";

const repoRoot = resolve(import.meta.dir, "../../../..");
const load = (env: Record<string, string>) => loadConfig(env, repoRoot);

function problemsOf(env: Record<string, string>): string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe("the configuration", () => {
  test("needs nothing: an empty environment gives a loopback API on port 3001", () => {
    const config = load({});
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 3001,
      loopback: true,
      runtime: "auto",
      registryUrl: "localhost",
      registryOwner: "agentpod",
      wildcardDomain: null,
    });
    expect(config.databasePath).toBe(join(repoRoot, "data", "agentpod.db"));
    expect(config.apiToken).toBeUndefined();
  });

  test("counts an empty variable as unset", () => {
    expect(load({ PORT: "", API_TOKEN: "", WILDCARD_DOMAIN: " " })).toEqual(load({}));
  });

  test("puts the database into DATA_DIR unless DATABASE_PATH says otherwise", () => {
    expect(load({ DATA_DIR: "/srv/pods" }).databasePath).toBe("/srv/pods/agentpod.db");
    expect(load({ DATA_DIR: "/srv/pods", DATABASE_PATH: "/db/x.db" }).databasePath).toBe("/db/x.db");
  });

  test("finds the manifest of images in the checkout unless IMAGE_MANIFEST names another", () => {
    expect(load({}).imageManifestPath).toBe(join(repoRoot, "docker/manifest.json"));
    expect(load({ IMAGE_MANIFEST: "/srv/sizes.json" }).imageManifestPath).toBe("/srv/sizes.json");
    expect(problemsOf({ IMAGE_MANIFEST: "a\0b" })).toEqual(["IMAGE_MANIFEST"]);
  });

  test("lists every wrong value at once, by name and with what is expected", () => {
    const env = {
      PORT: "80a",
      RUNTIME: "podman",
      WILDCARD_DOMAIN: "*.example.com",
      ENCRYPTION_KEY: "short",
      API_TOKEN: "tiny",
    };
    expect(problemsOf(env).toSorted()).toEqual(["API_TOKEN", "ENCRYPTION_KEY", "PORT", "RUNTIME", "WILDCARD_DOMAIN"]);
    expect(() => load(env)).toThrow(/5 problems/);
  });

  test.each([
    [{ PORT: "65536" }, "PORT"],
    [{ PORT: "-1" }, "PORT"],
    [{ HOST: "not a host" }, "HOST"],
    [{ DOCKER_HOST: "/var/run/docker.sock" }, "DOCKER_HOST"],
    [{ DOCKER_HOST: "tcp://build-box:2375" }, "DOCKER_HOST"],
    [{ REGISTRY_URL: "https://ghcr.io" }, "REGISTRY_URL"],
    [{ REGISTRY_URL: "127.0.0.1:99999" }, "REGISTRY_URL"],
    [{ REGISTRY_OWNER: "Acme" }, "REGISTRY_OWNER"],
    [{ IMAGE_VERSION: "a b" }, "IMAGE_VERSION"],
    [{ COOLIFY_URL: "ftp://x" }, "COOLIFY_URL"],
    [{ CONTAINER_TIERS_SUNSET: "soon" }, "CONTAINER_TIERS_SUNSET"],
    [{ LOG_LEVEL: "loud" }, "LOG_LEVEL"],
  ] as [Record<string, string>, string][])("refuses %p", (env, name) => {
    expect(problemsOf(env)).toContain(name);
  });

  test("knows where docker login leaves credentials", () => {
    expect(load({}).dockerConfigPath).toBeNull();
    expect(load({ HOME: "/home/me" }).dockerConfigPath).toBe("/home/me/.docker/config.json");
    expect(load({ HOME: "/home/me", DOCKER_CONFIG: "/etc/dock" }).dockerConfigPath).toBe("/etc/dock/config.json");
  });

  test("refuses to be reachable from elsewhere without a token", () => {
    expect(problemsOf({ HOST: "0.0.0.0" })).toEqual(["API_TOKEN"]);
    expect(problemsOf({ HOST: "0.0.0.0", API_TOKEN: "0123456789abcdef" })).toEqual([]);
  });

  test("refuses the process runtime where others can reach it", () => {
    expect(problemsOf({ HOST: "0.0.0.0", API_TOKEN: "0123456789abcdef", RUNTIME: "process" })).toEqual(["RUNTIME"]);
  });

  test("takes a list of web origins, and nothing that is no origin", () => {
    expect(load({ ALLOWED_ORIGINS: "https://Dash.example.com:443, http://localhost:5173" }).allowedOrigins).toEqual([
      "https://dash.example.com",
      "http://localhost:5173",
    ]);
    expect(problemsOf({ ALLOWED_ORIGINS: "*" })).toEqual(["ALLOWED_ORIGINS"]);
    expect(problemsOf({ ALLOWED_ORIGINS: "https://dash.example.com/path" })).toEqual(["ALLOWED_ORIGINS"]);
  });

  describe("Coolify", () => {
    const whole = {
      COOLIFY_URL: "https://coolify.example.com",
      COOLIFY_TOKEN: "1|abcdefgh",
      COOLIFY_PROJECT_UUID: "p1",
      COOLIFY_SERVER_UUID: "s1",
      WILDCARD_DOMAIN: "pods.example.com",
      REGISTRY_URL: "ghcr.io",
    };

    test("names everything that is missing for it, asked for or implied", () => {
      expect(problemsOf({ RUNTIME: "coolify" })).toEqual(Object.keys(whole));
      const { COOLIFY_URL, ...rest } = whole;
      expect(problemsOf({ COOLIFY_URL })).toEqual(Object.keys(rest));
      expect(problemsOf({ ...rest, COOLIFY_URL: "ftp://x" })).toEqual(["COOLIFY_URL"]);
      expect(problemsOf({ COOLIFY_URL, RUNTIME: "coolfy" })).toEqual(["RUNTIME"]);
    });

    test("is taken when it is there, and left alone when another runtime is asked for", () => {
      expect(load(whole).coolify).toEqual({
        url: "https://coolify.example.com",
        token: "1|abcdefgh",
        projectUuid: "p1",
        serverUuid: "s1",
        destinationUuid: null,
        environmentName: "production",
        gpu: false,
      });
      expect(load({ COOLIFY_URL: whole.COOLIFY_URL, RUNTIME: "docker" }).coolify).toBeNull();
      expect(load({}).coolify).toBeNull();
    });
  });

  test("reads secrets from files, without the line's end", () => {
    const file = join(mkdtempSync(join(tmpdir(), "agentpod-config-")), "token");
    writeFileSync(file, "0123456789abcdef0123\n");
    expect(load({ API_TOKEN_FILE: file }).apiToken).toBe("0123456789abcdef0123");
  });

  test("refuses a secret given both ways, an empty file and a missing one", () => {
    const folder = mkdtempSync(join(tmpdir(), "agentpod-config-"));
    const empty = join(folder, "empty");
    writeFileSync(empty, "\n");
    chmodSync(empty, 0o600);
    expect(problemsOf({ API_TOKEN: "0123456789abcdef", API_TOKEN_FILE: empty })).toEqual(["API_TOKEN_FILE"]);
    expect(problemsOf({ API_TOKEN_FILE: empty })).toEqual(["API_TOKEN_FILE"]);
    expect(problemsOf({ ENCRYPTION_KEY_FILE: join(folder, "nowhere") })).toEqual(["ENCRYPTION_KEY_FILE"]);
  });

  test("never shows a secret's value in its message", () => {
    const secret = "hunter2 with a blank in it";
    try {
      load({ API_TOKEN: secret, ENCRYPTION_KEY: secret });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });
});
