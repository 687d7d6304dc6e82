import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { runCli } from "../support/run-cli.ts";
import { startScript } from "../support/run-script.ts";
import { boxOf, fileBox, newKeyText, openAll, sealSome, withDatabase } from "../support/sealed-world.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();

/** A data folder with five secrets, sealed with the key in its file unless another is given. */
function world(key?: string) {
  const folder = newFolder();
  const box = key === undefined ? fileBox(folder) : boxOf(key);
  const values = sealSome(folder, box);
  const known = new Set<string>([...values, ...(key === undefined ? [] : [key])]);
  return {
    folder,
    box,
    values,
    /** Runs the command; whatever it prints holds no secret and no key. */
    secrets: async (args: string[], env: Record<string, string> = {}) => {
      const result = await runCli(["secrets", ...args], { env: { DATA_DIR: folder, ...env } });
      for (const name of readdirSync(folder).filter((file) => file.startsWith("encryption.key"))) {
        known.add(readFileSync(join(folder, name), "utf8").trim());
      }
      for (const secret of known) expect(result.stdout + result.stderr).not.toContain(secret);
      return result;
    },
  };
}

const backups = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes(".backup-"));

describe("agentpod secrets rotate", () => {
  test("seals everything with a new key, and keeps the backup and the key that opens it", async () => {
    const { folder, box, values, secrets } = world();
    const { exitCode, stdout } = await secrets(["rotate"]);
    expect(exitCode).toBe(0);
    const after = fileBox(folder);
    expect(openAll(folder, after)).toEqual(values);
    expect(stdout).toStartWith(`Sealed 5 secrets with the key ${after.keyId}, instead of ${box.keyId}.\n`);
    const [backup = ""] = backups(folder);
    const kept = join(folder, `encryption.key.${box.keyId}`);
    expect(stdout).toContain(`Backup: ${join(folder, backup)}\nKey from before: ${kept}\n`);
    for (const file of [kept, join(folder, "encryption.key"), join(folder, backup)]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }

    const back = await runCli(["db", "restore", join(folder, backup), "--yes"], { env: { DATA_DIR: folder } });
    expect(back.exitCode).toBe(0);
    const status = await secrets(["status"]);
    expect(status.stdout).toContain("The present key opens 0 of 5");
    expect(status.stdout).toContain(`The key ${box.keyId} is in ${kept}.`);
    expect(openAll(folder, boxOf(readFileSync(kept, "utf8").trim()))).toEqual(values);
  });

  test("again and again, also with a key of one's own", async () => {
    const { folder, values, secrets } = world();
    const own = newKeyText();
    const file = join(newFolder(), "own.key");
    writeFileSync(file, Buffer.from(own, "hex").toString("base64"), { mode: 0o600 });
    expect((await secrets(["rotate"])).exitCode).toBe(0);
    expect((await secrets(["rotate", "--new-key-file", file])).exitCode).toBe(0);
    expect(openAll(folder, boxOf(own))).toEqual(values);
    const same = await secrets(["rotate", "--new-key-file", file]);
    expect(same).toMatchObject({ exitCode: 1, stdout: "" });
    expect(same.stderr).toBe(`agentpod: The new key is the present one (${boxOf(own).keyId}). Choose another.\n`);
    expect(openAll(folder, fileBox(folder))).toEqual(values);
  });

  test("of a configured key takes the new one from the environment or a file, and says what to set", async () => {
    const [old, next] = [newKeyText(), newKeyText()];
    const { folder, values, secrets } = world(old);
    const file = join(newFolder(), "next.key");
    writeFileSync(file, next);
    const { exitCode, stdout } = await secrets(["rotate"], { ENCRYPTION_KEY: old, ENCRYPTION_KEY_NEW_FILE: file });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Before the next start set ENCRYPTION_KEY to what ENCRYPTION_KEY_NEW is");
    expect(stdout).not.toContain(next);
    expect(openAll(folder, boxOf(next))).toEqual(values);
    expect(backups(folder)).toHaveLength(1);
    const again = await secrets(["rotate"], { ENCRYPTION_KEY: old, ENCRYPTION_KEY_NEW: next });
    expect([again.exitCode, again.stdout.split("\n")[0]]).toEqual([
      0,
      `Sealed 0 secrets with the key ${boxOf(next).keyId}, instead of ${boxOf(old).keyId}.`,
    ]);
    expect(backups(folder)).toHaveLength(1);
  });

  test("is refused while the API has the database, and changes nothing", async () => {
    const { folder, box, values, secrets } = world();
    const holder = startScript("support/hold-lock.ts", join(folder, "agentpod.db"));
    await holder.stdout.getReader().read();
    const { exitCode, stderr } = await secrets(["rotate"]);
    holder.kill();
    await holder.exited;
    expect([exitCode, stderr]).toEqual([
      1,
      `agentpod: Another AgentPod process uses ${join(folder, "agentpod.db")}. Stop it first, or set another DATABASE_PATH.\n`,
    ]);
    expect(openAll(folder, box)).toEqual(values);
    expect([...backups(folder), ...readdirSync(folder).filter((name) => name.startsWith("encryption.key."))]).toEqual(
      [],
    );
  });

  test("is refused when a value does not open, and changes nothing", async () => {
    const { folder, box, secrets } = world();
    const other = boxOf(newKeyText());
    withDatabase(folder, (db) => {
      db.run("UPDATE projects SET gateway_token = ? WHERE id = 'p1'", [other.seal("x", "projects/p1/gateway_token")]);
      db.run("UPDATE provider_credentials SET encrypted_value = 'plain' WHERE label = 'other'");
    });
    const { exitCode, stderr } = await secrets(["rotate"]);
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(`agentpod: 2 stored secrets do not open with the present key ${box.keyId}`);
    expect(stderr).toContain(`(sealed with ${other.keyId}, unknown)`);
    expect(stderr).toEndWith("Nothing was changed.\n");
    expect(fileBox(folder).keyId).toBe(box.keyId);
    expect(backups(folder)).toEqual([]);
    const { stdout } = await secrets(["status"]);
    expect(stdout).toContain("The present key opens 3 of 5: bring the others' key back");
  });

  test("says in one line what is missing or too much", async () => {
    const { folder, secrets } = world();
    const said = async (args: string[], env: Record<string, string> = {}) => {
      const { exitCode, stdout, stderr } = await secrets(["rotate", ...args], env);
      expect([stdout, stderr.split("\n")]).toEqual(["", [expect.stringMatching(/^agentpod: /), ""]]);
      return `${exitCode} ${stderr.trimEnd()}`;
    };
    const key = newKeyText();
    expect(await said([], { ENCRYPTION_KEY: key })).toStartWith("1 agentpod: ENCRYPTION_KEY is set: put the new key");
    expect(await said(["--new-key-file", "x"], { ENCRYPTION_KEY: key })).toStartWith(
      "2 agentpod: ENCRYPTION_KEY is set",
    );
    expect(await said([], { ENCRYPTION_KEY_NEW: key })).toStartWith("2 agentpod: ENCRYPTION_KEY_NEW goes with");
    const file = join(newFolder(), "key");
    expect(await said(["--new-key-file", file])).toBe(`1 agentpod: There is no file ${file}.`);
    writeFileSync(file, "short", { mode: 0o600 });
    expect(await said(["--new-key-file", file])).toContain("holds no key: it must be 32 bytes");
    chmodSync(file, 0o644);
    expect(await said(["--new-key-file", file])).toContain("chmod 600");
    expect(await said([], { DATA_DIR: newFolder(), DATABASE_PATH: join(folder, "agentpod.db") })).toContain(
      "There is no key at ",
    );
    expect(await said([], { DATA_DIR: newFolder() })).toContain("There is no database at ");
    await runCli(["db", "rollback"], { env: { DATA_DIR: folder } });
    expect(await said([])).toContain("The database is not migrated yet");
  });
});

describe("agentpod secrets status", () => {
  test("counts secrets by the key that sealed them, by its id", async () => {
    const { folder, box, secrets } = world();
    const { exitCode, stdout } = await secrets(["status"]);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
      `Present key: ${box.keyId} (${join(folder, "encryption.key")})`,
      "SEALED WITH | GATEWAY TOKENS | CREDENTIALS | OPENED",
      `${box.keyId} | 3 | 2 | 5`,
      "The present key opens all 5.",
      "",
    ]);
    const key = newKeyText();
    const json = JSON.parse((await secrets(["status", "--json"], { ENCRYPTION_KEY: key })).stdout) as unknown;
    expect(json).toEqual({
      presentKeyId: boxOf(key).keyId,
      source: "ENCRYPTION_KEY",
      opensAll: false,
      rotationCutOff: false,
      sealedWith: [{ keyId: box.keyId, gatewayTokens: 3, credentials: 2, opened: 0 }],
    });
  });

  test("makes no key, and tells of a rotation that was cut off", async () => {
    const folder = newFolder();
    const env = { DATA_DIR: folder };
    await runCli(["db", "migrate"], { env });
    const none = await runCli(["secrets", "status"], { env });
    expect(none.stdout).toBe(`Present key: none yet (${join(folder, "encryption.key")})\nNo secrets are stored.\n`);
    expect(readdirSync(folder)).not.toContain("encryption.key");
    writeFileSync(join(folder, "encryption.key.next"), newKeyText(), { mode: 0o600 });
    expect((await runCli(["secrets", "status"], { env })).stdout).toContain("A rotation was cut off");
  });
});
