import { z } from "zod";
import type { Changed, FileHandler } from "../file-handler.ts";
import { conditionsOf } from "../files/conditions.ts";
import { fileResponse } from "../files/file-response.ts";
import { type Segments, segmentsOf, segmentsOfUrl } from "../files/path.ts";
import type { ErrorCode } from "../gateway-error.ts";
import { limitedBody } from "../http/body.ts";
import { cursor, flag, wholeNumber } from "../http/parameters.ts";
import { json, noContent, type Route, route } from "../http/route.ts";
import type { Surface } from "../http/surface.ts";
import { GatewayError } from "../gateway-error.ts";
import type { SessionManager } from "../types.ts";
import { fileChange, folderPage } from "../wire/index.ts";

const ENTRIES_MAX = 5000;
const ENTRIES_DEFAULT = 1000;

type FileSurfaceDeps = {
  files: FileHandler;
  /** Absolute path of the folder behind `/v1/fs/`. */
  workspace: string;
  sessions: Pick<SessionManager, "get">;
};

const ERRORS: readonly ErrorCode[] = [
  "path_not_allowed",
  "special_file",
  "file_not_permitted",
  "file_not_found",
  "file_conflict",
  "precondition_failed",
];

/** Files of the workspace and of sessions' folders. What `*` stands for is a path in that folder. */
export function createFileSurface(deps: FileSurfaceDeps): Surface {
  return {
    routes: [
      ...routesBelow("/v1/fs/*", "the workspace", deps, () => deps.workspace),
      ...routesBelow("/v1/sessions/:id/fs/*", "the session's folder", deps, ({ id = "" }) => deps.sessions.get(id).cwd),
    ],
    close: () => deps.files.close(),
  };
}

function routesBelow(
  path: string,
  where: string,
  { files }: FileSurfaceDeps,
  baseOf: (params: Record<string, string>) => string,
): Route[] {
  return [
    route({
      method: "GET",
      path,
      scope: "files",
      summary: `A file of ${where}, with Range and conditions, or a page of a folder`,
      query: z.object({
        cursor: cursor.optional(),
        limit: wholeNumber(1, ENTRIES_MAX).default(ENTRIES_DEFAULT),
      }),
      responses: {
        200: {
          description: "The file's bytes, or the folder as JSON",
          schema: folderPage,
          types: ["application/json", "*/*"],
        },
        206: { description: "The bytes of the range", types: ["*/*"] },
        304: { description: "The caller has it already" },
      },
      errors: [...ERRORS, "range_not_satisfiable"],
      async handler({ request, params, query, rest }) {
        const base = baseOf(params);
        const names = segmentsOfUrl(rest);
        const file = await files.open(base, names);
        if (file !== "folder") return fileResponse(request, file, names.at(-1) ?? "");
        return json(await files.list(base, names, query), 200, { "cache-control": "private, no-cache" });
      },
    }),
    route({
      method: "PUT",
      path,
      scope: "files",
      summary: `Writes a file of ${where} in one step, or makes a folder with ?type=directory`,
      query: z.object({
        type: z.enum(["file", "directory"]).default("file"),
        parents: flag.default(false).describe("true makes the folders above it, too"),
      }),
      body: "raw",
      responses: {
        200: { description: "It was there before", schema: fileChange },
        201: { description: "It is new", schema: fileChange },
      },
      errors: [...ERRORS, "body_too_large", "no_space"],
      async handler({ request, params, query, rest, url }) {
        const base = baseOf(params);
        const names = segmentsOfUrl(rest);
        const options = { parents: query.parents, conditions: conditionsOf(request.headers) };
        if (query.type === "directory") return changed(await files.makeFolder(base, names, options), url, rest);
        if (request.headers.has("content-range")) {
          throw new GatewayError("invalid_request", "a part of a file cannot be written; send the whole file");
        }
        if (rest.endsWith("/")) {
          throw new GatewayError(
            "invalid_request",
            "a path with a slash at the end is a folder's; ask with type=directory",
          );
        }
        const content = limitedBody(request, files.bytesMax) ?? [];
        return changed(await files.write(base, names, content, options), url, rest);
      },
    }),
    route({
      method: "POST",
      path,
      scope: "files",
      summary: `Moves a file or folder to ?move_to=, a path in ${where}`,
      query: z.object({
        move_to: z.string().min(1).max(4096).describe("A path in the same folder that is served"),
        overwrite: flag.default(false).describe("true takes the place of a file"),
        parents: flag.default(false).describe("true makes the folders above it, too"),
      }),
      responses: {
        200: { description: "It took the place of a file", schema: fileChange },
        201: { description: "There was nothing of that name before", schema: fileChange },
      },
      errors: ERRORS,
      async handler({ request, params, query, rest, url }) {
        const { move_to, overwrite, parents } = query;
        const [from, to] = [segmentsOfUrl(rest), segmentsOf(move_to)];
        const conditions = conditionsOf(request.headers);
        const done = await files.move(baseOf(params), from, to, { overwrite, parents, conditions });
        return changed(done, url, rest, to);
      },
    }),
    route({
      method: "DELETE",
      path,
      scope: "files",
      summary: `Removes a file, a link, an empty folder, or with ?recursive=true a folder of ${where}`,
      query: z.object({ recursive: flag.default(false).describe("true removes a folder with all that is in it") }),
      responses: { 204: { description: "It is gone" } },
      errors: ERRORS,
      async handler({ request, params, query, rest, keepOpen }) {
        keepOpen();
        const conditions = conditionsOf(request.headers);
        await files.remove(baseOf(params), segmentsOfUrl(rest), { recursive: query.recursive, conditions });
        return noContent();
      },
    }),
  ];
}

function changed({ created, path, entry }: Changed, url: URL, rest: string, names?: Segments): Response {
  const place = url.pathname.slice(0, url.pathname.length - rest.length);
  const location = place + (names ? names.map(encodeURIComponent).join("/") : rest);
  return json({ path, entry }, created ? 201 : 200, {
    ...(entry.etag !== null && { etag: entry.etag }),
    ...(created && { location }),
  });
}
