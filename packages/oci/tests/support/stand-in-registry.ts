import { createHash } from "node:crypto";

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | null;
}

export type Handler = (request: Request, url: URL) => Response | Promise<Response> | undefined;

export interface StandInRegistry extends Disposable {
  /** `127.0.0.1:port` */
  host: string;
  origin: string;
  seen: Seen[];
  /** Sends what is meant for `https://<host>` to this server instead, so that it stands for one that is elsewhere. */
  fetchAs: (...hosts: string[]) => (url: string, init: BunFetchRequestInit) => Promise<Response>;
}

/** A server that answers as `handler` says, and 404 otherwise; it keeps what it was asked. */
export function serveRegistry(handler: Handler): StandInRegistry {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const url = new URL(request.url);
      const { pathname: path, searchParams: query } = url;
      seen.push({ method: request.method, path, query, authorization: request.headers.get("authorization") });
      return handler(request, url) ?? Response.json({ errors: [{ code: "MANIFEST_UNKNOWN" }] }, { status: 404 });
    },
  });
  const host = `127.0.0.1:${server.port}`;
  const origin = `http://${host}`;
  return {
    host,
    origin,
    seen,
    fetchAs:
      (...hosts) =>
      (url, init) => {
        const { host, pathname, search, protocol } = new URL(url);
        if (protocol !== "https:" || !hosts.includes(host)) throw new Error(`${url} must not be asked`);
        return fetch(`${origin}${pathname}${search}`, init);
      },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

export const imageType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";

export interface Document {
  text: string;
  digest: string;
  type: string;
}

export function imageManifest(...sizes: number[]): Document {
  const [config = 0, ...layers] = sizes.map((size) => ({ mediaType: "application/octet-stream", digest: "", size }));
  return document(imageType, { config, layers });
}

export function imageIndex(platforms: Record<string, string>): Document {
  const manifests = Object.entries(platforms).map(([name, digest]) => {
    const [os = "", architecture = "", variant] = name.split("/");
    return { digest, size: 1, mediaType: imageType, platform: { os, architecture, ...(variant && { variant }) } };
  });
  return document(indexType, { manifests });
}

export function document(type: string, fields: object): Document {
  const text = JSON.stringify({ schemaVersion: 2, mediaType: type, ...fields });
  return { text, type, digest: `sha256:${createHash("sha256").update(text).digest("hex")}` };
}

/** The answer of a registry that has these, each under a tag and its digest. */
export function manifestAnswer({ pathname }: URL, documents: Record<string, Document>): Response | undefined {
  const wanted = pathname.split("/manifests/")[1] ?? "";
  const found = documents[wanted] ?? Object.values(documents).find(({ digest }) => digest === wanted);
  if (found === undefined) return undefined;
  return new Response(found.text, {
    headers: { "content-type": found.type, "docker-content-digest": found.digest },
  });
}
