import { type BigIntStats, closeSync, constants, fstatSync, openSync } from "node:fs";
import { GatewayError } from "../gateway-error.ts";
import { anchorOf } from "./anchor.ts";
import type { Confinement } from "./confinement.ts";
import { shown } from "./failure.ts";
import type { Segments } from "./path.ts";

/** A regular file that is open for reading. */
export type OpenFile = { readonly fd: number; look(): BigIntStats; close(): void };

/**
 * Opens a file for reading, or gives "folder". What it is, is known before it is opened: a FIFO is
 * never waited for, and a device does nothing.
 */
export function openFile(confinement: Confinement, base: string, names: Segments): OpenFile | "folder" {
  using entry = confinement.openEntry(base, names);
  const stat = fstatSync(entry.fd);
  if (stat.isDirectory()) return "folder";
  if (!stat.isFile())
    throw new GatewayError("special_file", `${shown(names.join("/"))}: it is neither a file nor a folder`);
  const fd = openSync(anchorOf(entry.fd), constants.O_RDONLY | constants.O_NONBLOCK);
  return { fd, look: () => fstatSync(fd, { bigint: true }), close: () => closeSync(fd) };
}
