import { readFileSync, writeFileSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { getMeta, setMeta } from "../models/meta.ts";

const KEY = "instance_id";
const form = /^[0-9a-f]{16}$/;

/**
 * Tells this installation from every other, and marks all it makes. The database's own counts; the
 * file brings it back after a rollback took it along, and follows a database that was replaced.
 */
export function loadInstanceId(db: Database, file: string): string {
  const stored = getMeta(db, KEY);
  const kept = readKept(file);
  const id = stored ?? kept ?? crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  if (stored === undefined) setMeta(db, KEY, id);
  if (kept !== id) writeFileSync(file, `${id}\n`, { mode: 0o600 });
  return id;
}

function readKept(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return form.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
