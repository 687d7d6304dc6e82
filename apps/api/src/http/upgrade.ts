const TOKEN_PROTOCOL = "bearer.";
/** Browsers that offered something want one of it back, which the token must not be. */
const OWN_PROTOCOL = "agentpod";

/** Whether the request asks to become a WebSocket. */
export const isUpgrade = (headers: Headers): boolean => headers.get("upgrade")?.toLowerCase() === "websocket";

/** The subprotocols that a client offers to whom the API passes it on. */
export const offeredProtocols = (headers: Headers): string[] =>
  listed(headers).filter((name) => !name.startsWith(TOKEN_PROTOCOL) && name !== OWN_PROTOCOL);

/** A browser's WebSocket has no headers of its own, so there the token comes as the subprotocol `bearer.TOKEN`. */
export function offeredToken(headers: Headers): string | undefined {
  const protocol = listed(headers).find((name) => name.startsWith(TOKEN_PROTOCOL));
  return protocol?.slice(TOKEN_PROTOCOL.length);
}

/** The subprotocol to answer with, given the one that was chosen further on; undefined for none. */
export function agreedProtocol(headers: Headers, chosen: string | undefined): string | undefined {
  if (chosen !== undefined && offeredProtocols(headers).includes(chosen)) return chosen;
  return listed(headers).includes(OWN_PROTOCOL) ? OWN_PROTOCOL : undefined;
}

const listed = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
