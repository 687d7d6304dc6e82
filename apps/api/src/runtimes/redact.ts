import type { SandboxSpec } from "./runtime.ts";

/** Shorter values, such as `1` or `true`, are no secrets and stand in every other text. */
const SECRET_LENGTH_MIN = 6;

export function secretsOf({ gatewayToken, env }: Pick<SandboxSpec, "gatewayToken" | "env">): string[] {
  return [gatewayToken, ...Object.values(env)].filter((value) => value.length >= SECRET_LENGTH_MIN);
}

/** The text without the secrets, and without what stands before the `@` of a URL. */
export function redact(text: string, secrets: readonly string[]): string {
  return blanker(secrets)(text).replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, "$1[redacted]@");
}

/** Takes the secrets out of texts, as they are and as JSON writes them. */
export function blanker(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .flatMap((secret) => [...new Set([secret, JSON.stringify(secret).slice(1, -1)])])
    .filter((secret) => secret.length >= SECRET_LENGTH_MIN)
    // The longest first: a secret may be part of another.
    .toSorted((a, b) => b.length - a.length);
  return (text) => forms.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
}
