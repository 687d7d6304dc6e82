import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

export { loadOrCreateKey, SecretKeyError } from "./secret-key.ts";

const VERSION = "v1";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface SecretBox {
  /** Names the key without giving it away. */
  readonly keyId: string;
  /** `v1.<keyId>.<nonce>.<ciphertext and tag>`; opens only with the same `context`. */
  seal: (text: string, context: string) => string;
  /** Throws a SecretBoxError. */
  open: (sealed: string, context: string) => string;
}

/** `wrong_key`: sealed with another key; `damaged`: not whole, or sealed for another context. */
export class SecretBoxError extends Error {
  override readonly name = "SecretBoxError";
  readonly failure: "wrong_key" | "damaged";

  constructor(failure: "wrong_key" | "damaged", message: string) {
    super(message);
    this.failure = failure;
  }
}

/** AES-256-GCM under `key` (32 bytes), with a fresh random nonce for every seal. */
export function createSecretBox(key: Uint8Array): SecretBox {
  if (key.length !== KEY_BYTES) throw new RangeError(`the key has ${key.length} bytes instead of ${KEY_BYTES}`);
  const keyId = createHash("sha256").update("agentpod secret box key id\0").update(key).digest("hex").slice(0, 16);

  return {
    keyId,

    seal: (text, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associated(keyId, context));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, keyId, nonce.toString("base64url"), body.toString("base64url")].join(".");
    },

    open: (sealed, context) => {
      const [version, sealedBy, nonceText, bodyText, ...rest] = sealed.split(".");
      if (version !== VERSION || nonceText === undefined || bodyText === undefined || rest.length > 0) throw damaged();
      if (sealedBy !== keyId) {
        const message = `A stored secret was sealed with the key ${sealedBy}, not with ${keyId}. Bring that key back (ENCRYPTION_KEY or its file), or store the secret again.`;
        throw new SecretBoxError("wrong_key", message);
      }
      const nonce = Buffer.from(nonceText, "base64url");
      const body = Buffer.from(bodyText, "base64url");
      if (nonce.length !== NONCE_BYTES || body.length < TAG_BYTES) throw damaged();
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(keyId, context));
      decipher.setAuthTag(body.subarray(-TAG_BYTES));
      try {
        return decipher.update(body.subarray(0, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw damaged();
      }
    },
  };
}

const associated = (keyId: string, context: string): Buffer => Buffer.from(`${VERSION}\0${keyId}\0${context}`);

const damaged = (): SecretBoxError => new SecretBoxError("damaged", "A stored secret is damaged. Store it again.");
