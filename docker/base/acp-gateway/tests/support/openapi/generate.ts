import { join } from "node:path";
import { loadConfig } from "../../../src/config.ts";
import { createGateway } from "../../../src/gateway.ts";
import { VERSION } from "../../../src/info.ts";
import { temporaryFolder } from "../gateway.ts";
import { openApiOf } from "./document.ts";

export const OPENAPI_FILE = join(import.meta.dir, "../../../openapi.json");

/** The text of openapi.json as the routes of a real gateway have it. */
export async function generatedOpenApi(): Promise<string> {
  await using folder = await temporaryFolder();
  const config = loadConfig({ AGENTPOD_WORKSPACE: folder.path, AGENTPOD_GATEWAY_NO_TOKEN: "1" });
  const gateway = await createGateway({ config, environment: {}, now: Date.now });
  try {
    return `${JSON.stringify(openApiOf(gateway, VERSION), null, 2)}\n`;
  } finally {
    await gateway.close();
  }
}

if (import.meta.main) await Bun.write(OPENAPI_FILE, await generatedOpenApi());
