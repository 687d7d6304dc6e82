import { randomBytes } from "node:crypto";
import { lstatSync, unlinkSync } from "node:fs";
import type { Folder } from "./confinement.ts";

const PATTERN = /^\.agentpod-tmp-[0-9a-f]{32}$/;
const ABANDONED_MS = 60 * 60 * 1000;

/** Where a file is written before it takes its name. */
export const temporaryName = (): string => `.agentpod-tmp-${randomBytes(16).toString("hex")}`;

export const isTemporary = (name: string): boolean => PATTERN.test(name);

/** Removes what a gateway that was killed left behind. */
export function removeAbandoned(folder: Folder, name: string): void {
  const stat = lstatSync(folder.at(name), { throwIfNoEntry: false });
  if (!stat?.isFile() || Date.now() - stat.mtimeMs < ABANDONED_MS) return;
  try {
    unlinkSync(folder.at(name));
  } catch {
    // Somebody else removed it, or may: it is hidden either way.
  }
}
