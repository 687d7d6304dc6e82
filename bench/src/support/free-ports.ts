/** Ports of this host's loopback that nobody listens on now. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } }),
  );
  for (const listener of listeners) listener.stop(true);
  return listeners.map(({ port }) => port);
}
