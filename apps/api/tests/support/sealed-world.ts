import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Database } from "bun:sqlite";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import {
  createProviderCredential,
  getProjectById,
  getProviderCredentials,
  insertProject,
  revealProviderCredential,
} from "../../src/models/index.ts";
import { gatewayTokenContext } from "../../src/services/gateway-token.ts";
import { createSecretBox, loadOrCreateKey, type SecretBox } from "../../src/services/secret-box.ts";
import { keyFile } from "../../src/services/secret-key.ts";

export const newKeyText = (): string => randomBytes(32).toString("hex");

export const boxOf = (text: string): SecretBox => createSecretBox(new Uint8Array(Buffer.from(text, "hex")));

/** The box of the key that the folder's file holds; one is made where there is none. */
export const fileBox = (folder: string): SecretBox => createSecretBox(loadOrCreateKey({ file: keyFile(folder) }));

export function withDatabase<Value>(folder: string, use: (db: Database) => Value): Value {
  const db = openDatabase(join(folder, "agentpod.db"), { migrate: true });
  try {
    return use(db);
  } finally {
    closeDatabase(db);
  }
}

/** Projects and credentials that `box` sealed; returns the plain values, in the order of `openAll`. */
export function sealSome(folder: string, box: SecretBox, count = 3): string[] {
  return withDatabase(folder, (db) => {
    for (let i = 0; i < count; i += 1) {
      const id = `p${i}`;
      const made = insertProject(db, {
        id,
        name: id,
        slug: id,
        resourceTierId: "starter",
        flavorId: "js",
        addonIds: [],
        gatewayToken: box.seal(`token-${i}`, gatewayTokenContext(id)),
      });
      if (!made.ok) throw new Error(made.reason);
    }
    for (const label of ["default", "other"]) {
      const made = createProviderCredential(db, box, { providerId: "openai", label, value: `sk-${label}` });
      if (!made.ok) throw new Error(made.reason);
    }
    insertProject(db, { id: "new", name: "New", slug: "new", resourceTierId: "starter", flavorId: "js", addonIds: [] });
    return [...Array.from({ length: count }, (_, i) => `token-${i}`), "sk-default", "sk-other"];
  });
}

/** What `sealSome` made, opened; throws when the box does not open all of it. */
export function openAll(folder: string, box: SecretBox, count = 3): string[] {
  return withDatabase(folder, (db) => [
    ...Array.from({ length: count }, (_, i) => {
      const sealed = getProjectById(db, `p${i}`)?.gatewayToken ?? "";
      return box.open(sealed, gatewayTokenContext(`p${i}`));
    }),
    ...getProviderCredentials(db, "openai").map(({ id }) => revealProviderCredential(db, box, id) ?? ""),
  ]);
}
