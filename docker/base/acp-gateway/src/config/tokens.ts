import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type NamedToken, SCOPES } from "../types.ts";
import type { SettingReader } from "./reader.ts";

const TOKEN_LENGTH_MIN = 16;
/** The name of the one token that AGENTPOD_GATEWAY_TOKEN gives. */
const MAIN = "main";
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/;

const tokensFile = z.array(
  z
    .strictObject({
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
      token: z.string().optional(),
      sha256: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/)
        .optional(),
      scopes: z.array(z.enum(SCOPES)).min(1),
    })
    .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), {
      message: "give either token or sha256",
    }),
);

/** All tokens there are. None only where that was asked for and nobody from elsewhere can reach the gateway. */
export function readTokens(settings: SettingReader, host: string): NamedToken[] {
  const { problems } = settings;
  const noToken = settings.flag("AGENTPOD_GATEWAY_NO_TOKEN");
  const main = readMainToken(settings);
  const file = settings.text("AGENTPOD_GATEWAY_TOKENS_FILE");
  const tokens = [...main, ...(file === undefined ? [] : readTokensFile(file, problems))];
  const isGiven = file !== undefined || MAIN_VARIABLES.some((name) => settings.text(name) !== undefined);
  if (noToken && isGiven) {
    problems.push("AGENTPOD_GATEWAY_NO_TOKEN is set beside a token; keep one of them");
  } else if (noToken && !LOOPBACK.test(host)) {
    problems.push(`AGENTPOD_GATEWAY_NO_TOKEN needs AGENTPOD_GATEWAY_HOST to be 127.0.0.1 or ::1, not ${host}`);
  } else if (!noToken && !isGiven) {
    problems.push("no token: set AGENTPOD_GATEWAY_TOKEN, or AGENTPOD_GATEWAY_TOKEN_FILE to a file that holds it");
  }
  const names = tokens.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) problems.push(`two tokens are called ${double}; give each a name of its own`);
  return tokens;
}

const MAIN_VARIABLES = ["AGENTPOD_GATEWAY_TOKEN", "AGENTPOD_GATEWAY_TOKEN_FILE"] as const;

function readMainToken({ text, problems }: SettingReader): NamedToken[] {
  const [inline, file] = MAIN_VARIABLES.map(text);
  if (inline !== undefined && file !== undefined) {
    problems.push("AGENTPOD_GATEWAY_TOKEN and AGENTPOD_GATEWAY_TOKEN_FILE are both set; keep one");
    return [];
  }
  const token = inline ?? (file && readText("AGENTPOD_GATEWAY_TOKEN_FILE", file, problems)?.trim());
  if (token === undefined) return [];
  checkToken("the gateway token", token, problems);
  return [{ name: MAIN, sha256: sha256(token), scopes: new Set(SCOPES) }];
}

function readTokensFile(path: string, problems: string[]): NamedToken[] {
  const text = readText("AGENTPOD_GATEWAY_TOKENS_FILE", path, problems);
  if (text === undefined) return [];
  const parsed = tokensFile.safeParse(parse(text));
  if (!parsed.success) {
    // The issue's place and kind only: the text around it holds tokens.
    const places = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".") || "all"}: ${message}`);
    problems.push(
      `AGENTPOD_GATEWAY_TOKENS_FILE must hold [{"name","token" or "sha256","scopes"}]; ${places.join("; ")}`,
    );
    return [];
  }
  return parsed.data.map(({ name, token, sha256: digest, scopes }) => {
    if (token !== undefined) checkToken(`the token ${name}`, token, problems);
    return { name, sha256: digest ? Buffer.from(digest, "hex") : sha256(token ?? ""), scopes: new Set(scopes) };
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkToken(which: string, token: string, problems: string[]): void {
  if (!/^[\x21-\x7e]*$/.test(token)) {
    problems.push(`${which} holds spaces, control or non-ASCII characters; it must fit in an HTTP header`);
  } else if (token.length < TOKEN_LENGTH_MIN) {
    problems.push(`${which} has ${token.length} characters; use at least ${TOKEN_LENGTH_MIN}`);
  }
}

function readText(name: string, path: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
