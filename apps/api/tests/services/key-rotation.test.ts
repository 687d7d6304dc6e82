import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { createLogger } from "../../src/http/logger.ts";
import { getProviderCredentials } from "../../src/models/index.ts";
import { ROTATION_STEPS } from "../../src/services/key-rotation.ts";
import { keptKeyFile, nextKeyFile, settleKeySwap } from "../../src/services/key-swap.ts";
import { openSecretBox } from "../../src/services/open-secret-box.ts";
import { keyFile } from "../../src/services/secret-key.ts";
import { runCli } from "../support/run-cli.ts";
import { runScript } from "../support/run-script.ts";
import { boxOf, fileBox, newKeyText, openAll, sealSome, withDatabase } from "../support/sealed-world.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";

const newFolder = tempFolders();

/** What the API's start does about keys; returns the box and the lines it logged. */
function startUp(folder: string, configured?: string, configuredNext?: string) {
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger("info", {
    write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  const box = withDatabase(folder, (db) =>
    openSecretBox({ db, configured, configuredNext, file: keyFile(folder), logger }),
  );
  return { box, logged };
}

const keysIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith("encryption.key"))
    .toSorted();

async function killedAt(step: string, folder: string, ...keys: string[]): Promise<void> {
  const crash = await runScript("support/crash-in-rotation.ts", folder, step, ...keys);
  expect(crash).toMatchObject({ signal: "SIGKILL", stderr: "" });
}

describe("a rotation of the key in a file, killed before its step", () => {
  test.each(ROTATION_STEPS)("'%s', is finished or undone by the next start", async (step) => {
    const folder = newFolder();
    const before = fileBox(folder);
    const values = sealSome(folder, before, 200);
    await killedAt(step, folder);
    const { box, logged } = startUp(folder);
    expect(openAll(folder, box, 200)).toEqual(values);
    expect(existsSync(nextKeyFile(keyFile(folder)))).toBe(false);
    const isOld = ["backup", "next key", "reseal", "commit"].includes(step);
    expect(box.keyId === before.keyId).toBe(isOld);
    const outcomes: Record<string, string> = { reseal: "undone", commit: "undone", keep: "finished", swap: "finished" };
    expect(logged.map(({ outcome }) => outcome)).toEqual(outcomes[step] === undefined ? [] : [outcomes[step]]);
    // The key from before is still there for the backup.
    const kept = isOld ? keyFile(folder) : keptKeyFile(keyFile(folder), before.keyId);
    expect(boxOf(readFileSync(kept, "utf8").trim()).keyId).toBe(before.keyId);
    expect(keysIn(folder).every((name) => (statSync(join(folder, name)).mode & 0o777) === 0o600)).toBe(true);
    expect(startUp(folder)).toMatchObject({ box: { keyId: box.keyId }, logged: [] });
  });

  test.each(ROTATION_STEPS)("'%s', is finished or begun anew by the next rotation", async (step) => {
    const folder = newFolder();
    const before = fileBox(folder);
    const values = sealSome(folder, before);
    await killedAt(step, folder);
    expect(await runCli(["secrets", "rotate"], { env: { DATA_DIR: folder } })).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    const after = fileBox(folder);
    expect(after.keyId).not.toBe(before.keyId);
    expect(openAll(folder, after)).toEqual(values);
    expect(startUp(folder).logged).toEqual([]);
  });

  test("while the file of the next key was being written, is undone", () => {
    const folder = newFolder();
    const box = fileBox(folder);
    const values = sealSome(folder, box);
    for (const part of ["", newKeyText().slice(0, 43), newKeyText()]) {
      writeFileSync(nextKeyFile(keyFile(folder)), part, { mode: 0o600 });
      expect(startUp(folder).logged).toMatchObject([{ outcome: "undone" }]);
      expect(openAll(folder, fileBox(folder))).toEqual(values);
      expect(keysIn(folder)).toEqual(["encryption.key"]);
    }
  });

  test("is not settled where both keys are needed, and the error says so", () => {
    const folder = newFolder();
    const other = newKeyText();
    sealSome(folder, fileBox(folder));
    withDatabase(folder, (db) => {
      const sealed = boxOf(other).seal("x", "projects/p0/gateway_token");
      db.run("UPDATE projects SET gateway_token = ? WHERE id = 'p0'", [sealed]);
    });
    writeFileSync(nextKeyFile(keyFile(folder)), `${other}\n`, { mode: 0o600 });
    const error = thrown(() => withDatabase(folder, (db) => settleKeySwap(db, keyFile(folder))));
    expect(error).toMatchObject({ name: "SecretKeyError" });
    expect(error.message).toContain("encryption.key.next, which was to replace it");
    expect(keysIn(folder)).toEqual(["encryption.key", "encryption.key.next"]);
  });

  test("keeps the key that it does not need here, as another database may", async () => {
    const [folder, other] = [newFolder(), newFolder()];
    sealSome(folder, fileBox(folder));
    await killedAt("keep", folder);
    const next = boxOf(readFileSync(nextKeyFile(keyFile(folder)), "utf8").trim());
    withDatabase(other, (db) => expect(settleKeySwap(db, keyFile(folder))).toBe("undone"));
    expect(keysIn(folder)).toContain(`encryption.key.${next.keyId}`);
    const { logged } = startUp(folder);
    expect(logged).toMatchObject([{ level: "warn", lost: [{ keyId: next.keyId, gatewayTokens: 3, credentials: 2 }] }]);
  });
});

describe("a rotation of a configured key, killed before its step", () => {
  test.each(["backup", "reseal", "commit", "tidy", "done"])("'%s', is explained by the next start", async (step) => {
    const folder = newFolder();
    const [old, next] = [newKeyText(), newKeyText()];
    const values = sealSome(folder, boxOf(old), 200);
    await killedAt(step, folder, old, next);
    expect(keysIn(folder)).toEqual([]);
    if (["backup", "reseal", "commit"].includes(step)) {
      const { box, logged } = startUp(folder, old, next);
      expect(logged).toEqual([]);
      expect(openAll(folder, box, 200)).toEqual(values);
    } else {
      const error = thrown(() => startUp(folder, old, next));
      expect(error).toMatchObject({ name: "SecretKeyError" });
      expect(error.message).toContain("Set ENCRYPTION_KEY to its value, and unset ENCRYPTION_KEY_NEW");
      expect(startUp(folder, old).logged).toMatchObject([{ level: "warn", lost: [{ keyId: boxOf(next).keyId }] }]);
    }
    const env = { DATA_DIR: folder, ENCRYPTION_KEY: old, ENCRYPTION_KEY_NEW: next };
    const again = await runCli(["secrets", "rotate"], { env });
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.stdout).toContain("Before the next start set ENCRYPTION_KEY");
    const { box, logged } = startUp(folder, next);
    expect(logged).toEqual([]);
    expect(openAll(folder, box, 200)).toEqual(values);
  });
});

test("a rotation leaves nothing in the database that the old key opens, and changes no time", async () => {
  const folder = newFolder();
  const before = fileBox(folder);
  sealSome(folder, before);
  const rows = () => withDatabase(folder, (db) => getProviderCredentials(db));
  const old = rows();
  expect(readFileSync(join(folder, "agentpod.db")).includes(before.keyId)).toBe(true);
  expect((await runCli(["secrets", "rotate"], { env: { DATA_DIR: folder } })).exitCode).toBe(0);
  const { keyId } = fileBox(folder);
  expect(rows()).toEqual(old.map((credential) => ({ ...credential, keyId })));
  for (const name of ["agentpod.db", "agentpod.db-wal"].map((file) => join(folder, file)).filter(existsSync)) {
    expect(readFileSync(name).includes(before.keyId)).toBe(false);
  }
});
