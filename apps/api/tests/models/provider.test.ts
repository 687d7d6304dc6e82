import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { openDatabase } from "../../src/db/open.ts";
import {
  createProvider,
  createProviderCredential,
  deleteProvider,
  deleteProviderCredential,
  getAllProviders,
  getDefaultProvider,
  getEnabledProviders,
  getMeta,
  getProviderById,
  getProviderCredentialById,
  getProviderCredentials,
  revealProviderCredential,
  setMeta,
  updateProvider,
  updateProviderCredential,
} from "../../src/models/index.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";

const newDatabase = () => openDatabase(":memory:", { migrate: true });
const newBox = () => createSecretBox(new Uint8Array(randomBytes(32)));

describe("providers", () => {
  test("are seeded, with one default", () => {
    const db = newDatabase();
    expect(
      getAllProviders(db)
        .map(({ id }) => id)
        .slice(0, 4),
    ).toEqual(["anthropic", "openai", "google", "openrouter"]);
    expect(getDefaultProvider(db)).toMatchObject({
      id: "anthropic",
      isEnabled: true,
      baseUrl: "https://api.anthropic.com",
    });
  });

  test("are created, changed and deleted", () => {
    const db = newDatabase();
    const local = {
      id: "local",
      name: "Local",
      type: "openai-compatible",
      baseUrl: null,
      isEnabled: false,
      isDefault: true,
      sortOrder: 0,
    };
    expect(createProvider(db, local)).toMatchObject({ ok: true, value: local });
    expect(createProvider(db, local)).toEqual({ ok: false, reason: "id_taken" });
    expect(getEnabledProviders(db).map(({ id }) => id)).not.toContain("local");
    expect(deleteProvider(db, "local")).toEqual({ ok: false, reason: "is_default" });
    expect(updateProvider(db, "openai", { isDefault: true, baseUrl: "https://proxy.example.com" })).toMatchObject({
      ok: true,
      value: { isDefault: true, name: "OpenAI" },
    });
    expect(deleteProvider(db, "local")).toMatchObject({ ok: true, value: { id: "local" } });
    expect(getProviderById(db, "local")).toBeUndefined();
  });
});

describe("provider credentials", () => {
  const secret = "sk-very-secret-ü";

  test("are sealed at rest and shown only when revealed", () => {
    const db = newDatabase();
    const box = newBox();
    const created = createProviderCredential(db, box, { providerId: "openai", label: "main", value: secret });
    if (!created.ok) throw new Error(created.reason);
    const { id } = created.value;
    expect(created.value).toMatchObject({ providerId: "openai", label: "main", keyId: box.keyId });
    expect(JSON.stringify([created, getProviderCredentials(db), getProviderCredentialById(db, id)])).not.toContain(
      "secret",
    );
    expect(Buffer.from(db.serialize()).includes("very-secret")).toBe(false);
    expect(revealProviderCredential(db, box, id)).toBe(secret);
    expect(revealProviderCredential(db, box, "nope")).toBeUndefined();
  });

  test("open with no other key and in no other row", () => {
    const db = newDatabase();
    const box = newBox();
    const [a, b] = ["a", "b"].map((label) =>
      createProviderCredential(db, box, { providerId: "openai", label, value: label }),
    );
    if (!a?.ok || !b?.ok) throw new Error("not created");
    expect(() => revealProviderCredential(db, newBox(), a.value.id)).toThrow("sealed with the key");
    db.run(
      "UPDATE provider_credentials SET encrypted_value = (SELECT encrypted_value FROM provider_credentials WHERE label = 'a') WHERE label = 'b'",
    );
    expect(() => revealProviderCredential(db, box, b.value.id)).toThrow("damaged");
  });

  test("have one label a provider, which has to be there", () => {
    const db = newDatabase();
    const box = newBox();
    const create = (providerId: string, label: string) =>
      createProviderCredential(db, box, { providerId, label, value: "x" });
    expect(create("openai", "main").ok).toBe(true);
    expect(create("openai", "main")).toEqual({ ok: false, reason: "label_taken" });
    expect(create("nope", "main")).toEqual({ ok: false, reason: "provider_not_found" });
    const other = create("openai", "other");
    if (!other.ok) throw new Error(other.reason);
    expect(updateProviderCredential(db, box, other.value.id, { label: "main" })).toEqual({
      ok: false,
      reason: "label_taken",
    });
    expect(create("google", "main").ok).toBe(true);
    expect(getProviderCredentials(db).map(({ providerId, label }) => `${providerId}/${label}`)).toEqual([
      "google/main",
      "openai/main",
      "openai/other",
    ]);
    expect(getProviderCredentials(db, "google")).toHaveLength(1);
  });

  test("change in value or label alone, and go with their provider", () => {
    const db = newDatabase();
    const [box, next] = [newBox(), newBox()];
    const created = createProviderCredential(db, box, { providerId: "openai", label: "main", value: "one" });
    if (!created.ok) throw new Error(created.reason);
    const { id } = created.value;
    expect(updateProviderCredential(db, next, id, { label: "renamed" })).toMatchObject({
      ok: true,
      value: { label: "renamed", keyId: box.keyId },
    });
    expect(revealProviderCredential(db, box, id)).toBe("one");
    expect(updateProviderCredential(db, next, id, { value: "two" })).toMatchObject({
      ok: true,
      value: { label: "renamed", keyId: next.keyId },
    });
    expect(revealProviderCredential(db, next, id)).toBe("two");
    expect(updateProviderCredential(db, next, "nope", { label: "x" })).toEqual({ ok: false, reason: "not_found" });
    deleteProvider(db, "openai");
    expect(getProviderCredentials(db)).toEqual([]);
    expect(deleteProviderCredential(db, id)).toBe(false);
  });
});

describe("meta", () => {
  test("keeps values by key", () => {
    const db = newDatabase();
    expect(getMeta(db, "a")).toBeUndefined();
    setMeta(db, "a", "1");
    setMeta(db, "a", "2");
    expect(getMeta(db, "a")).toBe("2");
  });
});
