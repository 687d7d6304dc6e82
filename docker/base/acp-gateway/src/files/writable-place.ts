import { fstatSync, lstatSync } from "node:fs";
import { GatewayError } from "../gateway-error.ts";
import type { Confinement, Opened, Place } from "./confinement.ts";
import { fileError, shown } from "./failure.ts";
import { type Segments, segmentsBelow } from "./path.ts";

/**
 * The place where a file is to be written: where the path leads, when it is a link to a file inside.
 * So a link stays a link, and who reads through it sees what was written.
 */
export function writablePlace(confinement: Confinement, base: string, names: Segments): Place {
  const place = confinement.place(base, names);
  if (!lstatSync(place.folder.at(place.name), { throwIfNoEntry: false })?.isSymbolicLink()) return place;
  place[Symbol.dispose]();
  using target = openTarget(confinement, base, names);
  const root = confinement.rootOf(base);
  const real = segmentsBelow(root, target.path);
  if (!real) throw fileError("EXDEV", place.path) ?? new Error("EXDEV");
  const there = confinement.place(root, real);
  const { dev, ino } = fstatSync(target.fd, { bigint: true });
  const found = lstatSync(there.folder.at(there.name), { bigint: true, throwIfNoEntry: false });
  if (found?.ino === ino && found.dev === dev) return { ...there, path: place.path };
  there[Symbol.dispose]();
  throw new GatewayError("file_conflict", `${shown(place.path)}: the link was changed meanwhile; try again`);
}

function openTarget(confinement: Confinement, base: string, names: Segments): Opened {
  try {
    return confinement.openEntry(base, names);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "file_not_found") throw error;
    throw new GatewayError("file_conflict", `${shown(names.join("/"))}: a link to nothing is in the way`);
  }
}
