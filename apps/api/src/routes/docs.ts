import type { Context } from "hono";
import { errorsPage, type Page, referencePage } from "../http/docs-page.ts";
import { jsonWithEtag } from "../http/etag.ts";
import type { OpenApiDocument } from "../http/openapi.ts";
import { type ApiEnv, createRouter, labelled } from "../http/router.ts";

/** The description of the API, for programs and for people. Anyone may read it. */
export function docsRoutes({ document }: { document: OpenApiDocument }) {
  const reference = referencePage(document);
  const errors = errorsPage();
  const router = createRouter();
  // Not described in the document itself, as these are not part of what clients are made from.
  const get = (path: string, handler: (c: Context<ApiEnv>) => Response) => router.get(path, labelled(handler));
  get("/openapi.json", (c) => jsonWithEtag(c, document));
  get("/docs", (c) => show(c, reference));
  get("/docs/errors", (c) => show(c, errors));
  return router;
}

function show(c: Context, { html, contentSecurityPolicy }: Page): Response {
  return c.html(html, 200, {
    "content-security-policy": contentSecurityPolicy,
    "referrer-policy": "no-referrer",
  });
}
