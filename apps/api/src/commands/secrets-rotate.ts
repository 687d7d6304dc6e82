import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { Database } from "bun:sqlite";
import { rotateKey, type RotationReport } from "../services/key-rotation.ts";
import { settleKeySwap } from "../services/key-swap.ts";
import { keyFile, parseKey, readKey } from "../services/secret-key.ts";
import { type Command, type CommandContext, CommandError, UsageError } from "./command.ts";
import { changing, existing, requireMigrated } from "./database.ts";

export const secretsRotate: Command = {
  name: "secrets rotate",
  usage: "[--new-key-file PATH]",
  summary: "Seals all stored secrets with a new key, after a backup beside the database.",
  help: [
    "The API has to be stopped. All secrets or, when something fails, none; sandboxes are not touched.",
    "With ENCRYPTION_KEY set, the new key comes from ENCRYPTION_KEY_NEW (or ENCRYPTION_KEY_NEW_FILE).",
    "The backup opens with the key from before only. Where that was a file it is kept beside the new one,",
    "as encryption.key.ID; to go back, restore the backup and move it to encryption.key.",
    "",
    "  --new-key-file PATH  a key of your own, 32 bytes as hex or base64, instead of a random one",
  ],
  options: { "new-key-file": { type: "string" } },
  positionalsMax: 0,
  run: (context, { values }) => {
    const path = existing(context);
    const own = values["new-key-file"];
    const { encryptionKey } = context.config();
    const lines = changing(path, (db) => {
      requireMigrated(db);
      return encryptionKey === undefined ? rotateFile(context, db, own) : rotateConfigured(context, db, own);
    });
    context.print(lines.join("\n"));
  },
};

type Option = string | boolean | undefined;

function rotateFile({ config, now }: CommandContext, db: Database, own: Option): string[] {
  const { dataDir, encryptionKeyNew } = config();
  if (encryptionKeyNew !== undefined) {
    throw new UsageError("ENCRYPTION_KEY_NEW goes with ENCRYPTION_KEY; for a key in a file use --new-key-file.");
  }
  const wanted = typeof own === "string" ? ownKey(own) : undefined;
  const file = keyFile(dataDir);
  const finished = settleKeySwap(db, file) === "finished";
  const current = readKey(file);
  if (current === undefined) {
    throw new CommandError(`There is no key at ${file}. Set DATA_DIR or ENCRYPTION_KEY as for the API.`);
  }
  if (finished && (wanted === undefined || Buffer.from(wanted).equals(current))) {
    return ["A rotation that had been cut off is finished. All stored secrets are sealed with its key."];
  }
  const report = rotateKey({ db, current, next: wanted ?? new Uint8Array(randomBytes(32)), file, now });
  return [...reportLines(report), `Key: ${file}`];
}

function rotateConfigured({ config, now }: CommandContext, db: Database, own: Option): string[] {
  const { encryptionKey = "", encryptionKeyNew } = config();
  if (own !== undefined) {
    throw new UsageError(
      "ENCRYPTION_KEY is set: put the new key into ENCRYPTION_KEY_NEW, or into a file that ENCRYPTION_KEY_NEW_FILE names.",
    );
  }
  if (encryptionKeyNew === undefined) {
    throw new CommandError(
      "ENCRYPTION_KEY is set: put the new key into ENCRYPTION_KEY_NEW, or into a file that ENCRYPTION_KEY_NEW_FILE names. `openssl rand -hex 32` makes one.",
    );
  }
  const [current, next] = [parseKey(encryptionKey, "ENCRYPTION_KEY"), parseKey(encryptionKeyNew, "ENCRYPTION_KEY_NEW")];
  const report = rotateKey({ db, current, next, file: null, now });
  return [
    ...reportLines(report),
    "Before the next start set ENCRYPTION_KEY to what ENCRYPTION_KEY_NEW is (or ENCRYPTION_KEY_FILE), and unset that.",
  ];
}

function ownKey(path: string): Uint8Array {
  const key = readKey(resolve(path));
  if (key === undefined) throw new CommandError(`There is no file ${resolve(path)}.`);
  return key;
}

function reportLines({ from, to, resealed, backup, keptKey }: RotationReport): string[] {
  return [
    `Sealed ${resealed} secret${resealed === 1 ? "" : "s"} with the key ${to}, instead of ${from}.`,
    ...(backup === null ? [] : [`Backup: ${backup}`]),
    ...(keptKey === null ? [] : [`Key from before: ${keptKey}`]),
  ];
}
