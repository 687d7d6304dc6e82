/** Ports every image serves, inside the container. */
export const OPENCODE_PORT = 4096;
export const GATEWAY_PORT = 4097;
