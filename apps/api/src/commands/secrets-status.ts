import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { keptKeyFile, nextKeyFile } from "../services/key-swap.ts";
import { countSeals, type SealCount, totalOf } from "../services/sealed-values.ts";
import { createSecretBox, loadOrCreateKey, type SecretBox } from "../services/secret-box.ts";
import { keyFile } from "../services/secret-key.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import { reading, requireMigrated } from "./database.ts";

export const secretsStatus: Command = {
  name: "secrets status",
  usage: "[--json]",
  summary: "How many stored secrets are sealed with which key, and whether the present key opens them.",
  help: ["Keys are named by an id that does not give them away. The API may run."],
  options: { json: { type: "boolean" } },
  positionalsMax: 0,
  run: (context, { values }) => {
    const config = context.config();
    const file = keyFile(config.dataDir);
    const { box, source } = presentKey(config, file);
    const sealedWith = reading(context, (db) => {
      requireMigrated(db);
      return countSeals(db, box);
    });
    const isCutOff = config.encryptionKey === undefined && existsSync(nextKeyFile(file));
    const opensAll = sealedWith.every((count) => count.opened === totalOf(count));
    if (values["json"] === true) {
      const report = { presentKeyId: box?.keyId ?? null, source, opensAll, rotationCutOff: isCutOff, sealedWith };
      return context.print(JSON.stringify(report, null, 2));
    }
    context.print(
      [
        `Present key: ${box?.keyId ?? "none yet"} (${source})`,
        ...(sealedWith.length === 0 ? [] : columns(rowsOf(sealedWith))),
        verdict(sealedWith, opensAll),
        ...sealedWith.flatMap((count) => whereIs(count, file)),
        ...(isCutOff
          ? ["A rotation was cut off: 'agentpod secrets rotate', or the API's next start, settles it."]
          : []),
      ].join("\n"),
    );
  },
};

/** Reads the key; none is made. */
function presentKey({ encryptionKey }: Config, file: string): { box: SecretBox | undefined; source: string } {
  const source = encryptionKey === undefined ? file : "ENCRYPTION_KEY";
  if (encryptionKey === undefined && !existsSync(file)) return { box: undefined, source };
  return { box: createSecretBox(loadOrCreateKey({ configured: encryptionKey, file })), source };
}

const rowsOf = (counts: readonly SealCount[]): string[][] => [
  ["SEALED WITH", "GATEWAY TOKENS", "CREDENTIALS", "OPENED"],
  ...counts.map(({ keyId, gatewayTokens, credentials, opened }) =>
    [keyId, gatewayTokens, credentials, opened].map(String),
  ),
];

function verdict(counts: readonly SealCount[], opensAll: boolean): string {
  const total = counts.reduce((sum, count) => sum + totalOf(count), 0);
  if (total === 0) return "No secrets are stored.";
  if (opensAll) return `The present key opens all ${total}.`;
  const opened = counts.reduce((sum, count) => sum + count.opened, 0);
  return `The present key opens ${opened} of ${total}: bring the others' key back, or store them again.`;
}

function whereIs({ keyId, ...count }: SealCount, file: string): string[] {
  const kept = keptKeyFile(file, keyId);
  if (count.opened === totalOf({ keyId, ...count }) || !existsSync(kept)) return [];
  return [`The key ${keyId} is in ${kept}.`];
}
