import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { LogLine, Operation, Project, ProjectStatusReport, Violation, Warning } from "@agentpod/types";

const repoRoot = resolve(import.meta.dir, "../../../..");

export interface ApiProcess {
  url: string;
  dataDir: string;
  pid: number;
  /** What it wrote to stdout and stderr so far. */
  output: () => string;
  /** Sends a signal and waits for the end; resolves with the exit code or null after a signal. */
  end: (signal: NodeJS.Signals) => Promise<number | null>;
}

export interface ApiProcessOptions {
  env?: Record<string, string>;
  /** A folder to go on with; a new one in the temp folder otherwise. */
  dataDir?: string;
  /** The entry to run; the product's own unless a test brings a driver. */
  entry?: string;
  /** A Ctrl-C that ends its caller is not for it, so that it can still be asked to clean up. */
  outlivesInterrupt?: boolean;
}

export const newDataDir = (): string => mkdtempSync(join(tmpdir(), "agentpod-api-"));
export const removeDataDir = (dataDir: string): void => rmSync(dataDir, { recursive: true, force: true });

/** Starts the API as its user does, on a free port, and waits until it listens. */
export async function startApi({
  env = {},
  dataDir = newDataDir(),
  entry = "apps/api/src/index.ts",
  outlivesInterrupt = false,
}: ApiProcessOptions = {}): Promise<ApiProcess> {
  const child = Bun.spawn([process.execPath, join(repoRoot, entry)], {
    cwd: repoRoot,
    env: { PATH: process.env["PATH"] ?? "", HOME: dataDir, PORT: "0", DATA_DIR: dataDir, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: outlivesInterrupt,
  });
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  void read(child.stdout);
  void read(child.stderr);
  const url = await listening(child, () => output);
  return {
    url,
    dataDir,
    pid: child.pid,
    output: () => output,
    async end(signal) {
      child.kill(signal);
      await child.exited;
      return child.exitCode;
    },
  };
}

async function listening(child: Bun.Subprocess, output: () => string): Promise<string> {
  for (;;) {
    const line = output()
      .split("\n")
      .find((candidate) => candidate.includes('"msg":"listening"'));
    if (line !== undefined) return (JSON.parse(line) as { url: string }).url;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the API ended before it listened:\n${output()}`);
    await Bun.sleep(10);
  }
}

/** The fields of all answers; a test reads those of the call it made. */
export interface ApiAnswer {
  project: Project;
  projects: Project[];
  operation: Operation;
  warnings: Warning[];
  errors: Required<Violation>[];
  lines: LogLine[];
  gateway: ProjectStatusReport["gateway"];
  code: string;
}

/** A call with JSON in and out. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(text || "{}") as ApiAnswer,
  };
}
