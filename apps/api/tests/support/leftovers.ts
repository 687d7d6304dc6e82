import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Everything a process sandbox could leave behind: children by their marker, folders by the project's id. */
export function processLeftovers(projectId: string, dataDir: string): string[] {
  const left: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      if (command.includes(`--agentpod-project=${projectId}`)) left.push(`process ${pid}: ${command}`);
    } catch {
      // It ended between the listing and the look.
    }
  }
  const projects = join(dataDir, "projects");
  if (existsSync(projects))
    left.push(
      ...readdirSync(projects)
        .filter((name) => name.includes(projectId))
        .map((name) => `folder ${name}`),
    );
  return left;
}

/** The same for a Docker sandbox: containers, running or not, and volumes. */
export function dockerLeftovers(projectId: string): string[] {
  const list = (...args: string[]) => {
    const { stdout, exitCode, stderr } = Bun.spawnSync(["docker", ...args]);
    if (exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr.toString()}`);
    return stdout
      .toString()
      .split("\n")
      .filter((line) => line.includes(projectId));
  };
  return [
    ...list("ps", "-a", "--no-trunc", "--format", "container {{.Names}} {{.Labels}}"),
    ...list("volume", "ls", "--format", "volume {{.Name}} {{.Labels}}"),
  ];
}
