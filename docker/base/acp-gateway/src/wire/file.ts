import { z } from "zod";
import { timestamp } from "./json.ts";

export const fileEntry = z
  .object({
    name: z.string(),
    type: z.enum(["file", "folder", "link", "other"]),
    size: z.int().nonnegative().nullable().describe("Bytes, of files"),
    mtime: timestamp,
    etag: z.string().nullable().describe("Strong; for If-Match and If-None-Match. Null for links and special files"),
  })
  .describe("One entry of a folder. Of links and other special files only the name is served");
export type FileEntry = z.infer<typeof fileEntry>;

export const folderPage = z
  .object({
    path: z.string().describe('Relative to the folder that is served; "" for itself'),
    mtime: timestamp,
    etag: z.string(),
    entries: z.array(fileEntry),
    nextCursor: z.string().nullable().describe("For `?cursor=`; null on the last page"),
    omitted: z
      .int()
      .nonnegative()
      .describe(
        "Entries of the folder whose names no URL can hold (not UTF-8, control characters) or that are the gateway's",
      ),
  })
  .describe("One page of a folder, ordered by name");
export type FolderPage = z.infer<typeof folderPage>;

export const fileChange = z.object({ path: z.string(), entry: fileEntry }).describe("What a change left behind");
export type FileChange = z.infer<typeof fileChange>;
