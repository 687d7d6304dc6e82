import { dlopen, ptr, read } from "bun:ffi";
import { constants } from "node:os";

/** Those of the C library's calls that node:fs has no word for. Each gives the code of its error, such as ENOENT. */
export type Libc = {
  /** Opens a path that may not lead out of the folder; links on the way are followed inside it only. */
  openBeneath(folder: number, path: string, flags: number): number | string;
  /** Renames unless something of the new name is there already. Undefined when it is done. */
  renameToFree(from: string, to: string): string | undefined;
};

/** The library's on the systems there are. */
export const LIBC_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];
/** openat2 has one number on all architectures, renameat2 has not. */
const SYS_OPENAT2 = 437;
const SYS_RENAMEAT2 = process.arch === "arm64" ? 276 : 316;
const ERRNO = "__errno_location";
const HOW_BYTES = 24;
const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_BENEATH = 0x08n;

const CODES = new Map(Object.entries(constants.errno).map(([code, number]) => [number, code]));

/** Null where these calls are not to be had: another system than Linux, an old kernel, code that may not be loaded. */
export function openLibc(): Libc | null {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return null;
  for (const name of LIBC_NAMES) {
    try {
      return bind(name);
    } catch {
      // The next name may be the library's on this system.
    }
  }
  return null;
}

function bind(library: string): Libc | null {
  const { symbols } = dlopen(library, {
    // Each argument as wide as a register, so that one declaration serves all calls.
    syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
    [ERRNO]: { args: [], returns: "ptr" },
  });

  function failure(): string {
    const place = symbols[ERRNO]();
    return (place !== null && CODES.get(read.i32(place, 0))) || "EIO";
  }

  const libc: Libc = {
    openBeneath(folder, path, flags) {
      const how = new BigUint64Array([BigInt(flags), 0n, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS]);
      const text = Buffer.from(`${path}\0`);
      const fd = Number(symbols.syscall(SYS_OPENAT2, folder, ptr(text), ptr(how), HOW_BYTES, 0));
      return fd < 0 ? failure() : fd;
    },

    renameToFree(from, to) {
      const [source, target] = [Buffer.from(`${from}\0`), Buffer.from(`${to}\0`)];
      const { syscall } = symbols;
      const done = Number(syscall(SYS_RENAMEAT2, AT_FDCWD, ptr(source), AT_FDCWD, ptr(target), RENAME_NOREPLACE));
      return done < 0 ? failure() : undefined;
    },
  };
  return libc.openBeneath(-1, ".", 0) === "EBADF" ? libc : null;
}
