import { resolve } from "node:path";
import { errorsAsMarkdown } from "../../src/http/error-docs.ts";
import { createTestApp } from "./app.ts";

export interface GeneratedFile {
  path: string;
  text: string;
}

const repoRoot = resolve(import.meta.dir, "../../../..");

/** What is committed although it follows from the code, so that its changes are seen in a review. */
export async function generatedFiles(): Promise<GeneratedFile[]> {
  const api = createTestApp();
  try {
    return [
      { path: resolve(repoRoot, "apps/api/openapi.json"), text: `${JSON.stringify(api.app.document, null, 2)}\n` },
      { path: resolve(repoRoot, "docs/api-errors.md"), text: errorsAsMarkdown() },
    ];
  } finally {
    await api.close();
  }
}

if (import.meta.main) {
  for (const { path, text } of await generatedFiles()) await Bun.write(path, text);
}
