import type { AcpClient } from "../acp-client.ts";
import { GatewayError } from "../gateway-error.ts";
import type { AgentEntry } from "../types.ts";
import type { JsonObject } from "../wire/index.ts";

const PROTOCOL_VERSION = 1;

type HandshakeOptions = { entry: AgentEntry; version: string; timeoutMs: number; signal: AbortSignal };

/**
 * Says what the gateway can do and hears what the agent can.
 * @throws GatewayError agent_protocol when it speaks another version, and what a request throws
 */
export async function shakeHands(client: AcpClient, { entry, version, timeoutMs, signal }: HandshakeOptions) {
  const fs = entry.quirks.advertiseFs;
  const params: JsonObject = {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: "agentpod-acp-gateway", title: "AgentPod", version },
    clientCapabilities: {
      fs: { readTextFile: fs, writeTextFile: fs },
      terminal: false,
      auth: { terminal: true, _meta: { gateway: true } },
      elicitation: { form: {}, url: {} },
    },
  };
  const result = await client.request("initialize", params, { timeoutMs, signal });
  if (result["protocolVersion"] !== PROTOCOL_VERSION) {
    const spoken = JSON.stringify(result["protocolVersion"]) ?? "none";
    throw new GatewayError(
      "agent_protocol",
      `${entry.id} speaks version ${spoken.slice(0, 50)} of the protocol and the gateway version ${PROTOCOL_VERSION}; install a release that speaks it`,
    );
  }
  return result;
}
