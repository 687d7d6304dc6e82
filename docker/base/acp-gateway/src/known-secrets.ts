import { createHash } from "node:crypto";
import { createRedactor } from "./agents/redactor.ts";
import type { Environment, NamedToken } from "./types.ts";

const SECRET_NAME = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i;
const CREDENTIALS = /\b(?:bearer[ .]|basic )[^\s"',;&]+|(?<=:\/\/)[^\s/@]+(?=@)/gi;
/** Of a text that could be a token, as it stands in a header, a URL or a message. */
const WORD = /[^\s"'`=?&,;:()<>{}[\]]{16,}/g;
const BLANK = "[secret]";

/** Blanks in texts the gateway's tokens, of which it has only hashes, secret variables, and what logs in. */
export function createSecretBlanker(tokens: readonly NamedToken[], environment: Environment) {
  const named = Object.entries(environment).flatMap(([name, value = ""]) => (SECRET_NAME.test(name) ? [value] : []));
  const { redact } = createRedactor(named);
  const isToken = (word: string): boolean => {
    const hash = createHash("sha256").update(word).digest();
    return tokens.some(({ sha256 }) => sha256.equals(hash));
  };
  return (text: string): string =>
    redact(text)
      .replace(CREDENTIALS, BLANK)
      .replace(WORD, (word) => (isToken(word) ? BLANK : word));
}
