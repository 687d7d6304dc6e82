import { z } from "zod";
import { timestamp } from "./json.ts";

/** One entry of a folder. Of links and other special files only the name is served. */
export const fileEntry = z.object({
  name: z.string(),
  type: z.enum(["file", "folder", "link", "other"]),
  /** Bytes, of files. */
  size: z.int().nonnegative().nullable(),
  mtime: timestamp,
  /** Strong; for If-Match and If-None-Match. Null for links and special files. */
  etag: z.string().nullable(),
});
export type FileEntry = z.infer<typeof fileEntry>;

/** One page of a folder, ordered by name. */
export const folderPage = z.object({
  /** Relative to the folder that is served; "" for itself. */
  path: z.string(),
  mtime: timestamp,
  etag: z.string(),
  entries: z.array(fileEntry),
  /** For `?cursor=`; null on the last page. */
  nextCursor: z.string().nullable(),
  /** Entries of the folder whose names no URL can hold (not UTF-8, control characters) or that are the gateway's. */
  omitted: z.int().nonnegative(),
});
export type FolderPage = z.infer<typeof folderPage>;

/** What a change left behind. */
export const fileChange = z.object({ path: z.string(), entry: fileEntry });
export type FileChange = z.infer<typeof fileChange>;
