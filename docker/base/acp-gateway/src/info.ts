import manifest from "../package.json" with { type: "json" };
import type { GatewayConfig } from "./types.ts";

export const VERSION: string = manifest.version;

/** What `GET /info` says that does not change while the gateway runs. */
export function describeGateway(config: GatewayConfig) {
  return {
    name: "acp-gateway",
    version: VERSION,
    projectId: config.projectId,
    workspace: config.workspace,
    bun: Bun.version,
    platform: { os: process.platform, arch: process.arch },
    image: config.image,
    flavor: config.flavor,
    addons: config.addons,
  };
}
