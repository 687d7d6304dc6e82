import { z } from "zod";

/** Any JSON value, passed on as it came. */
export const jsonValue = z.json();
export type JsonValue = z.infer<typeof jsonValue>;

/** An object of the protocol whose fields the gateway does not interpret; unknown fields stay. */
export const jsonObject = z.record(z.string(), jsonValue);
export type JsonObject = z.infer<typeof jsonObject>;

/** ISO 8601, UTC, milliseconds. */
export const timestamp = z.iso.datetime();

/** Position in the gateway's log. Rises over all sessions; numbers of other sessions lie between. */
export const sequence = z.int().nonnegative();

/** A JSON-RPC error as an agent gave it. */
export const rpcError = z.object({ code: z.int(), message: z.string(), data: jsonValue.optional() });
export type RpcErrorShape = z.infer<typeof rpcError>;
