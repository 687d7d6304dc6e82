import { readFileSync } from "node:fs";
import { credentialsFrom, type CredentialsOf } from "@agentpod/oci";

export interface StoredCredentialsOptions {
  /** Docker's `config.json`; it may be missing. */
  path: string | null;
  logger: { warn: (data: object, message: string) => void };
}

/** Credentials as they are on disk at the time, so that a new `docker login` counts at once. */
export function createStoredCredentials({ path, logger }: StoredCredentialsOptions): CredentialsOf {
  let complained = false;
  const complain = (reason: string) => {
    if (!complained) logger.warn({ path, reason }, "registries are asked anonymously");
    complained = true;
    return null;
  };

  return (host) => {
    if (path === null) return null;
    try {
      const credentials = credentialsFrom(readFileSync(path, "utf8"));
      return credentials === null ? complain("the file is not as docker login writes it") : credentials(host);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
      return code === "ENOENT" ? null : complain(`the file cannot be read (${code})`);
    }
  };
}
