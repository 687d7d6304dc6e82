import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { getProjectById, getProjectBySlug } from "../models/project.ts";
import { gatewayTokenContext } from "../services/gateway-token.ts";
import { createSecretBox, loadOrCreateKey, type SecretBox } from "../services/secret-box.ts";
import { keyFile } from "../services/secret-key.ts";
import { columns } from "./columns.ts";
import { type Command, CommandError, UsageError } from "./command.ts";
import { reading, requireMigrated } from "./database.ts";

export const projectsAccess: Command = {
  name: "projects access",
  usage: "SLUG|ID",
  summary: "Shows a project's URLs and the token that opens them.",
  help: ["The token is the gateway's bearer token and VS Code's password. It is written to a terminal only."],
  options: {},
  positionalsMax: 1,
  run: (context, { positionals: [wanted] }) => {
    if (wanted === undefined) throw new UsageError("Name the project: agentpod projects access SLUG.");
    if (!context.isTerminal) {
      throw new CommandError(
        "The token is a secret and goes to a terminal only: run this command in one, without a pipe.",
      );
    }
    const project = reading(context, (db) => {
      requireMigrated(db);
      return getProjectBySlug(db, wanted) ?? getProjectById(db, wanted);
    });
    if (project === undefined) throw new CommandError(`There is no project ${wanted}. 'agentpod projects' lists them.`);
    if (project.gatewayToken === null)
      throw new CommandError(`${project.slug} has no token yet: it was never deployed.`);
    const token = secretBox(context.config()).open(project.gatewayToken, gatewayTokenContext(project.id));
    const urls: [string, string | null][] = [
      ["OpenCode", project.fqdnUrl],
      ["Gateway", project.gatewayUrl],
      ["VS Code", project.codeServerUrl],
      ["Desktop", project.vncUrl],
    ];
    const rows = urls.flatMap(([name, url]) => (url === null ? [] : [[name, url]]));
    context.print([`${project.slug} is ${project.status}.`, ...columns([...rows, ["Token", token]])].join("\n"));
  },
};

/** Reads the key; making a new one would open nothing. */
function secretBox({ encryptionKey, dataDir }: Config): SecretBox {
  const file = keyFile(dataDir);
  if (encryptionKey === undefined && !existsSync(file)) {
    throw new CommandError(`There is no key at ${file}. Set DATA_DIR or ENCRYPTION_KEY as for the API.`);
  }
  return createSecretBox(loadOrCreateKey({ configured: encryptionKey, file }));
}
