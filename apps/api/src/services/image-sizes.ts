import { readFileSync } from "node:fs";
import { ImageManifest } from "@agentpod/types";
import type { Logger } from "../http/logger.ts";

/** What parts of images were measured to add, in whole MB, by id. */
export interface ImageSizes {
  readonly flavors: ReadonlyMap<string, number>;
  readonly addons: ReadonlyMap<string, number>;
}

export const NO_SIZES: ImageSizes = { flavors: new Map(), addons: new Map() };

/** The figures that every database starts with, as a plan; one that is still there is nobody's choice. */
export const PLANNED_SIZES: ImageSizes = {
  flavors: new Map([
    ["js", 800],
    ["python", 900],
    ["go", 700],
    ["rust", 1200],
    ["fullstack", 1100],
    ["polyglot", 2000],
  ]),
  addons: new Map([
    ["gui", 800],
    ["code-server", 200],
    ["databases", 500],
    ["cloud", 400],
    ["gpu", 2000],
  ]),
};

interface Sized {
  id: string;
  imageSizeMb: number | null;
}

/** The entry as it is answered: measured, unless somebody gave it a size of their own. */
export function withMeasuredSize<Entry extends Sized>(entry: Entry, kind: keyof ImageSizes, sizes: ImageSizes): Entry {
  const measured = sizes[kind].get(entry.id);
  const isChosen = entry.imageSizeMb !== null && entry.imageSizeMb !== PLANNED_SIZES[kind].get(entry.id);
  return measured === undefined || isChosen ? entry : { ...entry, imageSizeMb: measured };
}

/** Reads `docker/manifest.json`. Without it, or with one that cannot be used, sizes stay as the catalog has them. */
export function readImageSizes(path: string, logger: Logger): ImageSizes {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    logger.info({ path, reason }, "there is no manifest of images; the catalog tells planned sizes");
    return NO_SIZES;
  }
  const parsed = ImageManifest.safeParse(jsonOf(text));
  if (!parsed.success) {
    const { path: where = [], message = "" } = parsed.error.issues[0] ?? {};
    const reason = `${where.join(".") || "the file"}: ${message}`;
    logger.warn({ path, reason }, "the manifest of images cannot be used; the catalog tells planned sizes");
    return NO_SIZES;
  }
  return sizesOf(parsed.data);
}

/** A flavor adds to the base; an addon is measured on the base alone. */
function sizesOf({ images }: ImageManifest): ImageSizes {
  const sizes = { flavors: new Map<string, number>(), addons: new Map<string, number>() };
  for (const { flavor, addons, addedMb } of images) {
    const [addon] = addons;
    if (flavor !== null && addon === undefined) sizes.flavors.set(flavor, Math.round(addedMb));
    if (flavor === null && addon !== undefined && addons.length === 1) sizes.addons.set(addon, Math.round(addedMb));
  }
  return sizes;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
