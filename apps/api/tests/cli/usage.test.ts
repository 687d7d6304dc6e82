import { resolve } from "node:path";
import { describe, expect, test } from "bun:test";
import { runCli } from "../support/run-cli.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();
const commands = [
  "db status",
  "db migrate",
  "db rollback",
  "db backup",
  "db restore",
  "projects",
  "projects access",
  "secrets status",
  "secrets rotate",
];

describe("agentpod", () => {
  test.each([[], ["--help"], ["-h"], ["help"]])("shows all commands (%j)", async (...args) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const command of commands) expect(stdout).toContain(`agentpod ${command} `);
  });

  test.each(commands)("has help for %s, with all its options, and touches nothing", async (command) => {
    const env = { DATA_DIR: `${newFolder()}/none` };
    const help = await runCli([...command.split(" "), "--help"], { env });
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    expect(help.stdout).toStartWith(`Usage: agentpod ${command}`);
    expect(await runCli(["help", ...command.split(" ")], { env })).toEqual(help);
  });

  test("shows a group's commands", async () => {
    const { exitCode, stdout } = await runCli(["db", "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("agentpod db backup");
    expect(stdout).not.toContain("agentpod projects");
  });

  const wrong: [args: string[], message: string][] = [
    [["db"], "'agentpod db' needs one of: status, migrate, rollback, backup, restore."],
    [["secrets"], "'agentpod secrets' needs one of: status, rotate."],
    [["db", "migrat"], "Unknown command 'db migrat'. Did you mean 'agentpod db migrate'?"],
    [["porjects"], "Unknown command 'porjects'. Did you mean 'agentpod projects'?"],
    [["projects", "acces", "web"], "Unknown argument 'acces' of 'projects'. Did you mean 'agentpod projects access'?"],
    [["frobnicate"], "Unknown command 'frobnicate'. See 'agentpod --help'."],
    [["__proto__"], "Unknown command '__proto__'. See 'agentpod --help'."],
    [["x".repeat(500)], `Unknown command '${"x".repeat(500)}'. See 'agentpod --help'.`],
    [["db", "status", "--jsn"], "Unknown option '--jsn' of 'db status'. Did you mean 'agentpod db status --json'?"],
    [["db", "status", "-x"], "Unknown option '-x' of 'db status'. See 'agentpod db status --help'."],
    [["db", "status", "--__proto__"], "Unknown option '--__proto__' of 'db status'. See 'agentpod db status --help'."],
    [["db", "status", "extra"], "Unknown argument 'extra' of 'db status'. See 'agentpod db status --help'."],
    [["db", "status", "--json=1"], "Option '--json' does not take an argument"],
    [["projects", "--status"], "Option '--status <value>' argument missing"],
  ];
  test.each(wrong)("answers %j with one line and exit code 2", async (args, message) => {
    const { exitCode, stdout, stderr } = await runCli(args, { env: { DATA_DIR: `${newFolder()}/none` } });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 2, stdout: "", stderr: `agentpod: ${message}\n` });
  });

  test("ends without a word when nobody reads on", async () => {
    const cli = resolve(import.meta.dir, "../../src/cli.ts");
    const script = 'set -o pipefail; "$0" "$1" | true';
    const child = Bun.spawn(["bash", "-c", script, process.execPath, cli], { stdout: "pipe", stderr: "pipe" });
    const [stderr] = await Promise.all([child.stderr.text(), child.exited]);
    expect({ exitCode: child.exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("lists what is wrong with the configuration", async () => {
    const { exitCode, stderr } = await runCli(["db", "status"], { env: { PORT: "http", ENCRYPTION_KEY: "short" } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("PORT: ");
    expect(stderr).toContain("ENCRYPTION_KEY: ");
  });
});
