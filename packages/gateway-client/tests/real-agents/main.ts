import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { readReport, runBunTest, summarize } from "@agentpod/test-runner";
import { AGENTS } from "./agents.ts";

const USAGE = `Usage: npm run real-agents -- [AGENT...]

Installs coding agents from npm (about 1.5 GB for all of them, kept in the user's cache folder) and
drives them through the gateway, with a model server that follows a script instead of a model.
Agents: ${Object.keys(AGENTS).join(", ")}; without a name all of them.
`;

const agents = process.argv.slice(2);
if (agents.includes("--help")) {
  process.stdout.write(USAGE);
} else if (!agents.every((agent) => agent in AGENTS)) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await run(agents.length > 0 ? agents : Object.keys(AGENTS));
}

async function run(chosen: readonly string[]): Promise<number> {
  const root = join(import.meta.dir, "../../../..");
  const file = relative(root, join(import.meta.dir, "suite.ts"));
  const work = await mkdtemp(join(tmpdir(), "real-agents-"));
  try {
    const { report, ending } = await runBunTest({
      root,
      files: [file],
      parallel: false,
      output: "inherit",
      reportFile: join(work, "report.xml"),
      env: { ...process.env, AGENTPOD_REAL_AGENTS: chosen.join(",") },
    });
    const { ok, lines } = summarize({ files: [file], tests: readReport(report), ending, forbidSkips: true });
    for (const line of lines) console.log(line);
    return ok ? 0 : 1;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
