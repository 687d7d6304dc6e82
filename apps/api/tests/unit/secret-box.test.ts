import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { createSecretBox, loadOrCreateKey, SecretBoxError, SecretKeyError } from "../../src/services/secret-box.ts";
import { runScript } from "../support/run-script.ts";
import { tempFolders } from "../support/temp-folder.ts";
import { thrown } from "../support/thrown.ts";

const newFolder = tempFolders();
const newKey = () => new Uint8Array(randomBytes(32));

describe("the secret box", () => {
  test.each(["", "a", "🙂 Ünï", "x".repeat(100_000)])("opens what it sealed (%#)", (text) => {
    const box = createSecretBox(newKey());
    expect(box.open(box.seal(text, "context"), "context")).toBe(text);
  });

  test("never seals the same twice alike, and names version and key", () => {
    const box = createSecretBox(newKey());
    const sealed = Array.from({ length: 100 }, () => box.seal("same", "c"));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed[0]).toStartWith(`v1.${box.keyId}.`);
    expect(sealed[0]).not.toContain("same");
  });

  test("says when another key sealed it", () => {
    const [box, other] = [createSecretBox(newKey()), createSecretBox(newKey())];
    expect(box.keyId).not.toBe(other.keyId);
    const error = thrown(() => other.open(box.seal("s", "c"), "c"));
    expect(error).toBeInstanceOf(SecretBoxError);
    expect(error).toMatchObject({ name: "SecretBoxError", failure: "wrong_key" });
  });

  test("opens nothing that was changed, cut, or sealed for something else", () => {
    const box = createSecretBox(newKey());
    const sealed = box.seal("secret", "a");
    const [version = "", keyId = "", nonce = "", body = ""] = sealed.split(".");
    const flipped = `${body.slice(0, 4)}${body[4] === "A" ? "B" : "A"}${body.slice(5)}`;
    const shortTag = Buffer.from(body, "base64url").subarray(0, -8).toString("base64url");
    const bad = [
      "",
      "plain",
      `v2.${keyId}.${nonce}.${body}`,
      `${version}.${keyId}.${nonce}.${flipped}`,
      `${version}.${keyId}.${nonce}.${shortTag}`,
      `${version}.${keyId}..${body}`,
      `${version}.${keyId}.${nonce}.`,
      `${sealed}.x`,
      `${version}.${keyId}.${nonce.slice(0, 8)}.${body}`,
    ];
    for (const text of bad)
      expect(thrown(() => box.open(text, "a"))).toMatchObject({ name: "SecretBoxError", failure: "damaged" });
    const error = thrown(() => box.open(sealed, "b"));
    expect(error).toMatchObject({ failure: "damaged" });
    expect(error.message).not.toContain(body);
  });

  test("takes a key of 32 bytes only", () => {
    expect(() => createSecretBox(new Uint8Array(16))).toThrow("16 bytes");
  });
});

describe("the key", () => {
  test("comes from the configuration as hex or base64, and then no file is made", () => {
    const folder = newFolder();
    const key = randomBytes(32);
    for (const configured of [key.toString("hex"), key.toString("hex").toUpperCase(), key.toString("base64")]) {
      expect(loadOrCreateKey({ configured, file: join(folder, "key") })).toEqual(new Uint8Array(key));
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is made once, in a private file in a private folder", () => {
    const file = join(newFolder(), "data", "encryption.key");
    const key = loadOrCreateKey({ file });
    expect(key).toHaveLength(32);
    expect(loadOrCreateKey({ file, configured: "" })).toEqual(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(file, ".."))).toEqual(["encryption.key"]);
    expect(loadOrCreateKey({ file: join(newFolder(), "key") })).not.toEqual(key);
  });

  test("is the same for processes that make it at once", async () => {
    const folder = newFolder();
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => runScript("support/load-key.ts", join(folder, "key"))),
    );
    const keys = new Set(runs.map(({ stdout, stderr }) => stdout + stderr));
    expect(keys).toEqual(new Set([readFileSync(join(folder, "key"), "utf8").trim()]));
    expect(readdirSync(folder)).toEqual(["key"]);
  });

  test("is not taken from a file that others can read; the message has the cure", () => {
    const file = join(newFolder(), "key");
    loadOrCreateKey({ file });
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(file, mode);
      expect(thrown(() => loadOrCreateKey({ file })).message).toContain(`chmod 600 '${file}'`);
    }
    chmodSync(file, 0o400);
    expect(loadOrCreateKey({ file })).toHaveLength(32);
  });

  test("is refused when it is none, without being shown", () => {
    const file = join(newFolder(), "key");
    for (const configured of ["short", "z".repeat(64), "a".repeat(63)]) {
      const error = thrown(() => loadOrCreateKey({ configured, file }));
      expect(error).toBeInstanceOf(SecretKeyError);
      expect(error.message).toStartWith("ENCRYPTION_KEY holds no key: ");
      expect(error.message).not.toContain(configured);
    }
    writeFileSync(file, "", { mode: 0o600 });
    expect(thrown(() => loadOrCreateKey({ file })).message).toStartWith(`The key file ${file} holds no key`);
    mkdirSync(`${file}.d`, { mode: 0o700 });
    expect(thrown(() => loadOrCreateKey({ file: `${file}.d` })).message).toStartWith(
      `Cannot use the key file ${file}.d: `,
    );
  });
});
