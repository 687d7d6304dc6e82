import { z } from "zod";
import { parseJson } from "./body.ts";
import { hubByItsNames } from "./reference.ts";

/** Secret. */
export interface Credentials {
  username: string;
  password: string;
}

/** What to log in with at a registry such as `ghcr.io` or `docker.io`; null asks it anonymously. */
export type CredentialsOf = (host: string) => Credentials | null;

const ConfigFile = z.object({
  auths: z
    .record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .optional(),
});

/**
 * Reads the credentials in Docker's `config.json`: the `auth` of its `auths`, base64 of `user:password`, as
 * `docker login` writes it where no credential store is set up. Programs named by `credsStore` and `credHelpers` are
 * not run, and identity tokens are not used: registries that are only known there are asked anonymously.
 * @returns null when the text is no such file
 */
export function credentialsFrom(configJsonText: string): CredentialsOf | null {
  const parsed = ConfigFile.safeParse(parseJson(configJsonText));
  if (!parsed.success) return null;
  const byHost = new Map<string, Credentials>();
  for (const [address, { auth, identitytoken }] of Object.entries(parsed.data.auths ?? {})) {
    const found = identitytoken ? null : decode(auth ?? "");
    if (found !== null) byHost.set(hostIn(address), found);
  }
  return (host) => byHost.get(hubByItsNames(host.toLowerCase())) ?? null;
}

/** Old entries are whole addresses, such as `https://index.docker.io/v1/`. */
function hostIn(address: string): string {
  const [host = ""] = address.replace(/^https?:\/\//, "").split("/");
  return hubByItsNames(host.toLowerCase());
}

function decode(auth: string): Credentials | null {
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) return null;
  // Some tools pad the password.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}
