import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};
const FILES = ["desktop.html", "desktop.js", "login.html", "style.css"] as const;

/** Everything comes from here; noVNC draws the remote cursor with data: images. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join("; ");

export type PageName = (typeof FILES)[number];

export interface PageFiles {
  /** @param message plain text shown on the page, where it has a place for it */
  answer: (
    name: PageName,
    options?: { status?: number; message?: string; headers?: Record<string, string> },
  ) => Response;
}

/** Reads the pages once; they are few and small. */
export async function readPages(folder: string): Promise<PageFiles> {
  const entries = FILES.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const);
  const texts = new Map<PageName, string>(await Promise.all(entries));
  return {
    answer(name, { status = 200, message = "", headers = {} } = {}) {
      const text = (texts.get(name) ?? "").replace("<!-- message -->", () => Bun.escapeHTML(message));
      return new Response(text, {
        status,
        headers: {
          "content-type": TYPES[extname(name)] ?? "application/octet-stream",
          "cache-control": "no-store",
          "content-security-policy": CONTENT_SECURITY_POLICY,
          "x-content-type-options": "nosniff",
          "referrer-policy": "same-origin",
          ...headers,
        },
      });
    },
  };
}
