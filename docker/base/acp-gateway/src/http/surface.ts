import type { Route } from "./route.ts";
import type { SocketRoute } from "./websockets.ts";

/** A part of what the gateway serves. */
export type Surface = {
  routes?: readonly Route[];
  sockets?: readonly SocketRoute[];
  close?(): void | Promise<void>;
};
