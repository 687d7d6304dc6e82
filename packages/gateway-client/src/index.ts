export type { Activity } from "./answers.ts";
export { createGatewayClient, type GatewayClient } from "./client.ts";
export { GatewayClientError } from "./error.ts";
export type { GatewayClientOptions } from "./transport.ts";
export type * from "@agentpod/acp-gateway/wire";
