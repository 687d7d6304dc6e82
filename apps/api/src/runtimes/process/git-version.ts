/** Tells git's version, asked once for each program that is found. */
export function createGitVersion(env: Readonly<Record<string, string>>) {
  const known = new Map<string, Promise<string>>();

  async function ask(git: string): Promise<string> {
    const child = Bun.spawn([git, "--version"], { env: { ...env }, stdin: "ignore", stderr: "ignore", timeout: 5_000 });
    const text = await new Response(child.stdout).text();
    return /\d+(\.\d+)+/.exec(text)?.[0] ?? "of an unknown version";
  }

  return async function gitVersion(): Promise<string | null> {
    const git = Bun.which("git", { PATH: env["PATH"] ?? "" });
    if (git === null) return null;
    const version = known.get(git) ?? ask(git);
    known.set(git, version);
    return version;
  };
}
