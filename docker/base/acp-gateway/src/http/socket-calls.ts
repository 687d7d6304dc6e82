import { dlopen, ptr } from "bun:ffi";
import { LIBC_NAMES } from "../files/libc.ts";

/** What Bun does not tell of its connections, by their descriptors. */
export type SocketCalls = {
  /** Undefined for what is no connection. */
  localPort(descriptor: number): number | undefined;
  peerPort(descriptor: number): number | undefined;
  /** The client has received something; true also where the system does not tell. */
  hasBeenAnswered(descriptor: number): boolean;
  /** Ends it as if the client had: Bun then closes it. */
  shutDown(descriptor: number): void;
};

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const INFO_BYTES = 256;
/** Of tcpi_bytes_acked in struct tcp_info. */
const ACKED_AT = 120;
const SHUT_RDWR = 2;
const ADDRESS_BYTES = 128;
/** Of sin_port and sin6_port. */
const PORT_AT = 2;

/** Null where these calls are not to be had. */
export function openSocketCalls(): SocketCalls | null {
  if (process.platform !== "linux") return null;
  for (const name of LIBC_NAMES) {
    try {
      return bind(name);
    } catch {
      // The next name may be the library's on this system.
    }
  }
  return null;
}

function bind(library: string): SocketCalls {
  const { symbols } = dlopen(library, {
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    getpeername: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    shutdown: { args: ["i32", "i32"], returns: "i32" },
  });
  const address = new DataView(new ArrayBuffer(ADDRESS_BYTES));
  const info = new DataView(new ArrayBuffer(INFO_BYTES));
  const length = new Uint32Array(1);

  function portOf(read: typeof symbols.getsockname, descriptor: number): number | undefined {
    length[0] = ADDRESS_BYTES;
    // The family of a Unix socket's address has a path where others have the port; only ours is asked for.
    return read(descriptor, ptr(address), ptr(length)) === 0 ? address.getUint16(PORT_AT) : undefined;
  }

  return {
    localPort: (descriptor) => portOf(symbols.getsockname, descriptor),
    peerPort: (descriptor) => portOf(symbols.getpeername, descriptor),
    hasBeenAnswered(descriptor) {
      length[0] = INFO_BYTES;
      const failed = symbols.getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(length)) !== 0;
      if (failed || (length[0] ?? 0) < ACKED_AT + 8) return true;
      // The handshake may count as one.
      return info.getBigUint64(ACKED_AT, true) > 1n;
    },
    shutDown: (descriptor) => void symbols.shutdown(descriptor, SHUT_RDWR),
  };
}
