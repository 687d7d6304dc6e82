import type { Database } from "bun:sqlite";
import type { Logger } from "../http/logger.ts";
import { settleKeySwap } from "./key-swap.ts";
import { countSeals, totalOf } from "./sealed-values.ts";
import { createSecretBox, loadOrCreateKey, type SecretBox } from "./secret-box.ts";
import { parseKey, SecretKeyError } from "./secret-key.ts";

export interface OpenSecretBoxOptions {
  db: Database;
  configured: string | undefined;
  /** The configured key that is to replace it, if one is under way. */
  configuredNext: string | undefined;
  /** Where the key is that is not configured. */
  file: string;
  logger: Logger;
}

/**
 * The box of this installation at its start, after a rotation that was cut off is settled. Says which
 * stored secrets it does not open.
 * @throws SecretKeyError when there is no telling the key, or everything is sealed with the next one
 */
export function openSecretBox({ db, configured, configuredNext, file, logger }: OpenSecretBoxOptions): SecretBox {
  if (configured === undefined) {
    const outcome = settleKeySwap(db, file);
    if (outcome !== "none") logger.warn({ outcome, file }, "a rotation of the encryption key had been cut off");
  }
  const box = createSecretBox(loadOrCreateKey({ configured, file }));
  const lost = countSeals(db, box).filter((count) => count.opened < totalOf(count));
  if (lost.length === 0) return box;

  const nextId = configuredNext && createSecretBox(parseKey(configuredNext, "ENCRYPTION_KEY_NEW")).keyId;
  if (lost.some(({ keyId }) => keyId === nextId)) {
    const fix = "Set ENCRYPTION_KEY to its value, and unset ENCRYPTION_KEY_NEW";
    throw new SecretKeyError(`The stored secrets are sealed with ENCRYPTION_KEY_NEW already. ${fix}.`);
  }
  logger.warn(
    { presentKeyId: box.keyId, lost },
    "stored secrets do not open with the present encryption key; 'agentpod secrets status' says more",
  );
  return box;
}
