import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

const repo = resolve(import.meta.dir, "../../..");

/** Where the workflow is, as its linters are told. */
export const workflowPath = ".forgejo/workflows/build-containers.yml";
export const workflowText = readFileSync(join(repo, workflowPath), "utf8");

const Variables = z.record(z.string(), z.string());
const Step = z.strictObject({
  name: z.string(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  run: z.string().optional(),
  env: Variables.optional(),
});
const Job = z.strictObject({
  needs: z.string().optional(),
  if: z.string().optional(),
  "runs-on": z.string(),
  "timeout-minutes": z.number(),
  strategy: z.strictObject({ "fail-fast": z.boolean(), matrix: z.record(z.string(), z.array(z.string())) }).optional(),
  env: Variables,
  steps: z.array(Step),
});
const Workflow = z.object({
  on: z.strictObject({
    push: z.strictObject({ branches: z.array(z.string()), paths: z.array(z.string()) }),
    workflow_dispatch: z.strictObject({
      inputs: z.strictObject({
        target: z.object({ default: z.string(), type: z.string(), options: z.array(z.string()) }),
      }),
    }),
  }),
  env: Variables,
  jobs: z.record(z.string(), Job),
});

export type WorkflowJob = z.infer<typeof Job>;

/** The workflow as far as its tests look into it. */
export const workflow = Workflow.parse(Bun.YAML.parse(workflowText));

/** A text with a job's matrix values in place. */
export function filled(text: string, cell: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ matrix\.([a-z]+) \}\}/g, (_, name: string) => cell[name] ?? "");
}
