import { mkdtemp, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { redact, secretsOf } from "../redact.ts";
import { RuntimeError, type SandboxSpec, type StepContext } from "../runtime.ts";
import type { ProcessEnder } from "./end-processes.ts";
import { cloneMarks, type ProcessFinder } from "./find-processes.ts";
import { CLONE_PREFIX, type ProjectFolder } from "./project-folder.ts";
import { removeFolder } from "./remove-folder.ts";
import type { createGitRunner } from "./run-git.ts";
import { checkSourceHost, type SourceHostRules } from "./source-host.ts";
import { withEnvironment } from "./spawn-gateway.ts";
import { findNewHome, isRedirectRefusal } from "./source-redirect.ts";

/** What of the project's own environment leads git to the network. */
const NETWORK = /^(https?_proxy|all_proxy|no_proxy|ssl_cert_(file|dir)|git_ssl_cainfo|curl_ca_bundle)$/i;
const REDIRECTS_MAX = 5;
const MESSAGE_LENGTH_MAX = 500;

/**
 * ssh goes by the account's home, not by HOME: it must be told to use no settings, keys, agent or
 * known hosts of whoever runs the API. A clone is made once, so there is no host key to remember.
 */
const SSH_COMMAND = [
  "ssh -F /dev/null -oIdentityFile=none -oIdentitiesOnly=yes -oIdentityAgent=none -oBatchMode=yes",
  "-oUserKnownHostsFile=/dev/null -oStrictHostKeyChecking=accept-new -oConnectTimeout=30",
].join(" ");

export interface SourceClonerDeps {
  instanceId: string;
  baseEnv: Readonly<Record<string, string>>;
  timeoutMs: number;
  hostRules: SourceHostRules;
  finder: ProcessFinder;
  ender: ProcessEnder;
  runGit: ReturnType<typeof createGitRunner>;
}

/** Brings a repository into an empty workspace: wholly, or not at all. */
export function createSourceCloner({
  instanceId,
  baseEnv,
  timeoutMs,
  hostRules,
  finder,
  ender,
  runGit,
}: SourceClonerDeps) {
  /** Clones that a killed API left behind, together with a git that may still write there. */
  async function clearLeftovers(projectId: string, folder: ProjectFolder): Promise<void> {
    const leftovers = (await readdir(folder.root)).filter((name) => name.startsWith(CLONE_PREFIX));
    if (leftovers.length === 0) return;
    const gits = (await finder.of(projectId)).filter(({ kind }) => kind === "clone");
    await Promise.all(gits.map((git) => ender.endFound(git)));
    for (const name of leftovers) await removeFolder(join(folder.root, name));
  }

  async function cloneInto(
    target: string,
    url: URL,
    options: { git: string; spec: SandboxSpec; folder: ProjectFolder; signal: AbortSignal },
  ): Promise<void> {
    const { git, spec, folder, signal } = options;
    const env = withEnvironment(
      baseEnv,
      Object.fromEntries(Object.entries(spec.env).filter(([name]) => NETWORK.test(name))),
    );
    let from = url;
    for (let redirects = 0; ; redirects += 1) {
      const pins = await checkSourceHost(from, hostRules, env);
      const settings = ["-c", "http.followRedirects=false", "-c", "credential.helper=", ...pins];
      const { ok, stderr } = await runGit({
        git,
        args: [...cloneMarks(instanceId, spec.projectId), ...settings, "clone", "--quiet", "--", from.href, target],
        cwd: folder.root,
        env: gitEnvironment(folder, env),
        timeoutMs,
        signal,
      });
      if (ok) return;
      if (!isRedirectRefusal(stderr) || redirects === REDIRECTS_MAX) throw cloneFailed(stderr, secretsOf(spec));
      from = await findNewHome(from, signal);
    }
  }

  return async function cloneSource(
    spec: SandboxSpec,
    folder: ProjectFolder,
    { report, signal }: StepContext,
  ): Promise<void> {
    await clearLeftovers(spec.projectId, folder);
    if (spec.sourceUrl === null || (await readdir(folder.workspace)).length > 0) return;
    const url = URL.parse(spec.sourceUrl);
    if (!url) throw new RuntimeError("source_clone_failed", "sourceUrl is not a URL");
    const git = Bun.which("git", { PATH: baseEnv["PATH"] ?? "" });
    if (git === null) {
      throw new RuntimeError(
        "source_clone_failed",
        "git is not installed on this host; install it, or leave sourceUrl out",
      );
    }
    report("cloning");
    const target = await mkdtemp(join(folder.root, CLONE_PREFIX));
    try {
      await cloneInto(target, url, { git, spec, folder, signal });
      // Takes the place of an empty folder in one go.
      await rename(target, folder.workspace);
    } catch (error) {
      await removeFolder(target);
      throw error;
    }
  };
}

/** Nothing of the user's own: no prompts, no stored credentials, no settings but the system's. */
function gitEnvironment(folder: ProjectFolder, baseEnv: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...baseEnv,
    HOME: folder.home,
    LC_ALL: "C",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    SSH_ASKPASS: "false",
    GIT_SSH_COMMAND: SSH_COMMAND,
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git",
    GIT_LFS_SKIP_SMUDGE: "1",
  };
}

function cloneFailed(stderr: string, secrets: readonly string[]): RuntimeError {
  const lines = stderr.split("\n").filter((line) => /^(fatal|error|remote|ssh)\b/.test(line));
  const said = redact(lines.join("; "), secrets)
    .replace(/\p{Cc}/gu, "")
    .slice(-MESSAGE_LENGTH_MAX)
    .trim();
  const hint = /could not read Username|Authentication failed|Permission denied/.test(stderr)
    ? "the repository does not exist or is not public"
    : "check that sourceUrl names a repository that this host can reach";
  return new RuntimeError(
    "source_clone_failed",
    `git could not clone the repository; ${hint}. It said: ${said || "nothing"}`,
  );
}
