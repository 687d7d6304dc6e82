import { join } from "node:path";
import { pinned } from "./cpus.ts";

export interface LoadRequest {
  url: string;
  method: "GET" | "POST";
  /** JSON. */
  body?: string | undefined;
  /** Ends each body with other blanks, so that no two requests have the same bytes. */
  fresh?: boolean | undefined;
  headers: Readonly<Record<string, string>>;
}

export interface Load {
  /** Kept open all the time. */
  connections: number;
  seconds: number;
  cpu: number | undefined;
}

export interface LoadResult {
  requestsPerSecond: number;
  medianMs: number;
  p99Ms: number;
}

interface Figures {
  requests: number;
  durationUs: number;
  medianUs: number;
  p99Us: number;
  failedAnswers: number;
  socketErrors: number;
}

const script = join(import.meta.dir, "request.lua");

/** Ends the process with what to do when wrk is not there. */
export function requireWrk(): void {
  if (Bun.which("wrk") !== null) return;
  console.error("This benchmark needs wrk (https://github.com/wg/wrk). On Debian: apt-get install wrk");
  process.exit(2);
}

/**
 * Loads one URL with wrk, from one thread.
 * @throws Error when any request failed or was answered with 400 or above: such a run measures nothing
 */
export async function load({ url, method, body, fresh, headers }: LoadRequest, { connections, seconds, cpu }: Load) {
  const command = [
    "wrk",
    "--threads=1",
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    `--script=${script}`,
  ];
  for (const [name, value] of Object.entries(headers)) command.push("--header", `${name}: ${value}`);
  command.push(url, "--", method, ...(body === undefined ? [] : [body]), ...(fresh ? ["fresh"] : []));
  const child = Bun.spawn(pinned(command, cpu), { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`wrk failed: ${errors || output}`);
  const figures = JSON.parse(output.trim().split("\n").at(-1) ?? "") as Figures;
  if (figures.failedAnswers + figures.socketErrors > 0) {
    throw new Error(`${method} ${url}: ${figures.failedAnswers} failed answers, ${figures.socketErrors} socket errors`);
  }
  return toResult(figures);
}

function toResult({ requests, durationUs, medianUs, p99Us }: Figures): LoadResult {
  return { requestsPerSecond: requests / (durationUs / 1e6), medianMs: medianUs / 1e3, p99Ms: p99Us / 1e3 };
}
