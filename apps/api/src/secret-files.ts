import { readFileSync } from "node:fs";
import type { ConfigProblem, Environment } from "./config.ts";

const secrets = ["API_TOKEN", "ENCRYPTION_KEY", "ENCRYPTION_KEY_NEW", "COOLIFY_TOKEN"] as const;

/** The environment with the secrets that are in files, as `NAME_FILE` names them. */
export function takeSecretFiles(env: Environment, problems: ConfigProblem[]): Record<string, string | undefined> {
  const taken: Record<string, string | undefined> = { ...env };
  for (const name of secrets) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (env[name]) {
      problems.push({ name: `${name}_FILE`, message: `is set together with ${name}; keep one of them` });
      continue;
    }
    try {
      taken[name] = readFileSync(path, "utf8").trim();
      if (taken[name] === "") problems.push({ name: `${name}_FILE`, message: "names an empty file" });
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      problems.push({ name: `${name}_FILE`, message: `names a file that cannot be read (${reason})` });
    }
  }
  return taken;
}
