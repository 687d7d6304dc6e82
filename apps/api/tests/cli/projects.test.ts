import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import { insertProject, updateProject } from "../../src/models/index.ts";
import { gatewayTokenContext } from "../../src/services/gateway-token.ts";
import { createSecretBox, loadOrCreateKey } from "../../src/services/secret-box.ts";
import { makeOldDatabase } from "../support/old-database.ts";
import { runCli, runCliInTerminal } from "../support/run-cli.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();

const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ {2,}/g, " | "));

describe("agentpod projects", () => {
  test("--tiers lists the projects of a database that is not migrated yet, and what they will become", async () => {
    const folder = newFolder();
    makeOldDatabase(join(folder, "agentpod.db"));
    const env = { DATA_DIR: folder };
    const before = lines((await runCli(["projects", "--tiers"], { env })).stdout);
    expect(before.slice(0, 7)).toEqual([
      "PROJECT | STATUS | OLD TIER | RESOURCE TIER | FLAVOR | ADDONS",
      "p-desktop | stopped | desktop | creator | fullstack | gui,code-server",
      "p-lite | running:healthy | lite | starter | fullstack | code-server",
      "p-none | stopped | - | starter | fullstack | code-server",
      "p-pro | running:healthy | pro | creator | fullstack | code-server",
      "p-standard | stopped | standard | builder | fullstack | code-server",
      "p-unknown | running:healthy | huge | starter | fullstack | code-server",
    ]);
    expect(before).toContain("Not migrated yet: tier, flavor and addons are what the migration will choose.");
    expect(before.slice(-6)).toEqual([
      "OLD TIER | RESOURCE TIER | FLAVOR | ADDONS",
      "lite | starter | fullstack | code-server",
      "standard | builder | fullstack | code-server",
      "pro | creator | fullstack | code-server",
      "desktop | creator | fullstack | gui,code-server",
      "any other | starter | fullstack | code-server",
    ]);

    await runCli(["db", "migrate"], { env });
    const after = lines((await runCli(["projects", "--tiers"], { env })).stdout);
    const withoutStatus = (rows: string[]) => rows.slice(1, 7).map((row) => row.split(" | ").toSpliced(1, 1));
    expect(withoutStatus(after)).toEqual(withoutStatus(before));
    expect(after.join()).not.toContain("Not migrated");
    const running = JSON.parse((await runCli(["projects", "--status", "running", "--json"], { env })).stdout) as {
      projects: { slug: string }[];
    };
    expect(running.projects.map(({ slug }) => slug)).toEqual(["p-lite", "p-pro", "p-unknown"]);
  });

  test("says that a database rolled back to nothing is not migrated", async () => {
    const env = { DATA_DIR: newFolder() };
    await runCli(["db", "migrate"], { env });
    await runCli(["db", "rollback", "--to", "0"], { env });
    expect(await runCli(["projects", "--tiers"], { env })).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: "agentpod: The database is not migrated yet: run 'agentpod db migrate' first.\n",
    });
  });

  test("lists what runs where, or that there is nothing", async () => {
    const folder = newFolder();
    const env = { DATA_DIR: folder };
    await runCli(["db", "migrate"], { env });
    expect((await runCli(["projects"], { env })).stdout).toBe("No projects.\n");
    const db = openDatabase(join(folder, "agentpod.db"));
    insertProject(db, {
      name: "日本",
      slug: "web",
      resourceTierId: "power",
      flavorId: "go",
      addonIds: [],
      status: "running",
      runtime: "docker",
      fqdnUrl: "http://127.0.0.1:20000",
    });
    closeDatabase(db);
    expect(lines((await runCli(["projects"], { env })).stdout)).toEqual([
      "PROJECT | STATUS | RUNTIME | FLAVOR | ADDONS | URL",
      "web | running | docker | go | - | http://127.0.0.1:20000",
    ]);
    const json = JSON.parse((await runCli(["projects", "--tiers", "--json"], { env })).stdout) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({
      migrated: true,
      projects: [{ slug: "web", name: "日本", resourceTierId: "power", addonIds: [] }],
    });
    expect(json["containerTiers"]).toHaveLength(4);
  });
});

describe("agentpod projects access", () => {
  const token = "gateway-token-0123456789";

  async function withProject() {
    const folder = newFolder();
    const env = { DATA_DIR: folder };
    await runCli(["db", "migrate"], { env });
    const file = join(folder, "encryption.key");
    const box = createSecretBox(loadOrCreateKey({ file }));
    const db = openDatabase(join(folder, "agentpod.db"));
    const made = insertProject(db, {
      name: "Web",
      slug: "web",
      resourceTierId: "starter",
      flavorId: "js",
      addonIds: ["code-server"],
    });
    if (!made.ok) throw new Error(made.reason);
    const { id } = made.value;
    insertProject(db, { name: "New", slug: "new", resourceTierId: "starter", flavorId: "js", addonIds: [] });
    updateProject(db, id, {
      status: "running",
      gatewayToken: box.seal(token, gatewayTokenContext(id)),
      gatewayUrl: "http://127.0.0.1:20001",
      codeServerUrl: "http://127.0.0.1:20002",
    });
    closeDatabase(db);
    return { id, env, folder, file };
  }

  test("shows a human the URLs and the token, by slug or id", async () => {
    const { id, env } = await withProject();
    for (const wanted of ["web", id]) {
      const { exitCode, shown } = await runCliInTerminal(["projects", "access", wanted], { env });
      expect(exitCode).toBe(0);
      expect(lines(shown)).toEqual([
        "web is running.",
        "Gateway | http://127.0.0.1:20001",
        "VS Code | http://127.0.0.1:20002",
        `Token | ${token}`,
      ]);
    }
  });

  test("gives the token to nothing but a terminal", async () => {
    const { env } = await withProject();
    const piped = await runCli(["projects", "access", "web"], { env });
    expect(piped).toMatchObject({ exitCode: 1, stdout: "" });
    expect(piped.stderr).toStartWith("agentpod: The token is a secret and goes to a terminal only");
    for (const args of [["projects"], ["projects", "--json"], ["projects", "--tiers", "--json"]]) {
      const { stdout } = await runCli(args, { env });
      expect(stdout).not.toContain(token);
      expect(stdout).not.toContain("v1.");
    }
  });

  test("says in one line what is missing", async () => {
    const { env, folder, file } = await withProject();
    const said = async (wanted: string, extra: Record<string, string> = {}) => {
      const { exitCode, shown } = await runCliInTerminal(["projects", "access", ...(wanted === "" ? [] : [wanted])], {
        env: { ...env, ...extra },
      });
      expect(shown).not.toContain(token);
      return `${exitCode} ${shown}`;
    };
    expect(await said("")).toBe("2 agentpod: Name the project: agentpod projects access SLUG.\n");
    expect(await said("nope")).toBe("1 agentpod: There is no project nope. 'agentpod projects' lists them.\n");
    expect(await said("new")).toBe("1 agentpod: new has no token yet: it was never deployed.\n");
    expect(await said("web", { ENCRYPTION_KEY: "ab".repeat(32) })).toStartWith(
      "1 agentpod: A stored secret was sealed with the key ",
    );
    chmodSync(file, 0o644);
    expect(await said("web")).toBe(
      `1 agentpod: Others can read the key file ${file}. Make it private: chmod 600 '${file}'\n`,
    );
    const database = join(folder, "agentpod.db");
    const other = newFolder();
    expect(await said("web", { DATABASE_PATH: database, DATA_DIR: other })).toStartWith(
      `1 agentpod: There is no key at ${join(other, "encryption.key")}.`,
    );
    expect(readdirSync(other)).toEqual([]);
  });
});
