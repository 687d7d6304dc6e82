import { ProblemCode, ViolationCode } from "@agentpod/types";
import type { OpenApiDocument } from "./openapi.ts";
import { PROBLEM_HELP, VIOLATION_HELP } from "./problem-help.ts";
import { PROBLEMS } from "./problem.ts";

/** A page, with what it may load. */
export interface Page {
  html: string;
  contentSecurityPolicy: string;
}

/** The interactive reference: one pinned file, which a browser runs only with these bytes. */
const SCALAR = {
  origin: "https://cdn.jsdelivr.net",
  path: "/npm/@scalar/api-reference@1.72.1/dist/browser/standalone.js",
  integrity: "sha384-U11tb2XnKvmwt8RlTvnwUnYgrN+ur4Xyh9htLhjajWNR/Oyl5AX5DEz00qRmlrmK",
};

/** Without what would send a reader, or the description, to others. */
const SCALAR_OPTIONS = {
  url: "/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
};

const START = `addEventListener("load", () => {
  if (!window.Scalar) return;
  for (const id of ["plain", "plain-style"]) document.getElementById(id).remove();
  Scalar.createApiReference("#reference", ${JSON.stringify(SCALAR_OPTIONS)});
});`;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:60rem;margin:0 auto;padding:1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:.5rem}
table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
summary{cursor:pointer}:root{color-scheme:light dark}`;

/** The reference of all routes. Readable without scripts; with the network at hand, interactive. */
export function referencePage(document: OpenApiDocument): Page {
  const hash = new Bun.CryptoHasher("sha256").update(START).digest("base64");
  return {
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src ${SCALAR.origin}${SCALAR.path} 'sha256-${hash}'`,
      "style-src 'unsafe-inline'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    html: page(
      document.info.title,
      `<div id="reference"></div><main id="plain">${plainReference(document)}</main>
<script src="${SCALAR.origin}${SCALAR.path}" integrity="${SCALAR.integrity}" crossorigin="anonymous"></script>
<script>${START}</script>`,
    ),
  };
}

/** Every error code and what to do about it. */
export function errorsPage(): Page {
  const problems = ProblemCode.options.map((code) => {
    const { means, fix } = PROBLEM_HELP[code];
    const cells = [`<code>${code}</code>`, PROBLEMS[code].status, inline(means), inline(fix)];
    return `<tr id="${code}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const violations = ViolationCode.options.map(
    (code) => `<tr><td><code>${code}</code></td><td>${inline(VIOLATION_HELP[code])}</td></tr>`,
  );
  const body = `<main><h1>Errors of the API</h1><p>Every error is <code>application/problem+json</code>; <code>code</code> is one of these.</p>
<table><tr><th>Code</th><th>Status</th><th>Means</th><th>What to do</th></tr>${problems.join("\n")}</table>
<h2>Codes inside <code>errors</code></h2><table><tr><th>Code</th><th>Means</th></tr>${violations.join("\n")}</table>
<p><a href="/docs">All routes</a></p></main>`;
  const contentSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  return { html: page("AgentPod API errors", body), contentSecurityPolicy };
}

interface Operation {
  summary?: string;
  description?: string;
  operationId?: string;
  deprecated?: boolean;
  parameters?: unknown[];
  requestBody?: unknown;
  responses?: Record<string, { description?: string }>;
}

function plainReference({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => section(path, method, operation)),
  );
  return `<h1>${escape(info.title)} ${escape(info.version)}</h1>
<p>${escape(info.description ?? "")} <a href="/openapi.json">openapi.json</a>, <a href="/docs/errors">errors</a></p>
${operations.join("\n")}
<details><summary>Schemas</summary>${preformatted(components?.schemas)}</details>`;
}

function section(path: string, method: string, operation: Operation): string {
  const { summary, description, parameters, requestBody, responses = {} } = operation;
  const answers = Object.entries(responses).map(
    ([status, answer]) => `<tr><td>${escape(status)}</td><td>${escape(answer.description ?? "")}</td></tr>`,
  );
  return `<details><summary><code>${method.toUpperCase()} ${escape(path)}</code> ${escape(summary ?? "")}</summary>
${operation.deprecated === true ? "<p><strong>Deprecated.</strong></p>" : ""}${description === undefined ? "" : `<p>${inline(description)}</p>`}
${parameters === undefined ? "" : `<h4>Parameters</h4>${preformatted(parameters)}`}
${requestBody === undefined ? "" : `<h4>Body</h4>${preformatted(requestBody)}`}
<h4>Answers</h4><table>${answers.join("")}</table></details>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style id="plain-style">${STYLE}</style></head>
<body>${body}</body></html>`;
}

function preformatted(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function inline(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escape(text: string): string {
  return Bun.escapeHTML(text);
}
