const TOKEN_PROTOCOL = "bearer.";

/** Whether the request asks to become a WebSocket. */
export const isUpgrade = (headers: Headers): boolean => headers.get("upgrade")?.toLowerCase() === "websocket";

/** The subprotocols that a client offers, but for the one that is its token. */
export const offeredProtocols = (headers: Headers): string[] =>
  listed(headers).filter((name) => !name.startsWith(TOKEN_PROTOCOL));

/** A browser's WebSocket has no headers of its own, so there the token comes as the subprotocol `bearer.TOKEN`. */
export function offeredToken(headers: Headers): string | undefined {
  const protocol = listed(headers).find((name) => name.startsWith(TOKEN_PROTOCOL));
  return protocol?.slice(TOKEN_PROTOCOL.length);
}

const listed = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
