import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { LaunchProblem } from "./problem.mjs";

/**
 * @typedef {object} Machine
 * @property {string} platform as process.platform
 * @property {string} arch as process.arch
 * @property {boolean} musl whether the C library is musl (Alpine), not glibc
 */

/** @returns {Machine} */
export function thisMachine() {
  const { platform, arch } = process;
  return { platform, arch, musl: platform === "linux" && !hasGlibc() };
}

/**
 * The machine in one word, for naming what was installed for it.
 * @param {Machine} machine
 */
export function machineId({ platform, arch, musl }) {
  return `${platform}-${arch}${musl ? "-musl" : ""}`;
}

/**
 * The npm packages whose Bun can run here, the best first. An x64 processor without AVX2 (or one
 * that cannot be asked) gets the baseline build first.
 * @param {Machine} machine
 * @param {() => boolean} [hasAvx2]
 * @returns {string[]}
 */
export function bunPackages(machine, hasAvx2 = processorHasAvx2) {
  const { platform, arch, musl } = machine;
  if (platform !== "linux" && platform !== "darwin") {
    const hint = platform === "win32" ? " On Windows, use it inside WSL." : "";
    throw new LaunchProblem(`AgentPod runs on Linux and macOS, not on ${platform}.${hint}`);
  }
  const libc = musl ? "-musl" : "";
  if (arch === "arm64") return [`@oven/bun-${platform}-aarch64${libc}`];
  if (arch !== "x64") {
    throw new LaunchProblem(`AgentPod runs on x64 and arm64 processors, not on ${arch}.`);
  }
  const fast = `@oven/bun-${platform}-x64${libc}`;
  const baseline = `${fast}-baseline`;
  return hasAvx2() ? [fast, baseline] : [baseline, fast];
}

function hasGlibc() {
  const { report } = process;
  // Looking up the names of network peers can take seconds, and is not needed.
  if ("excludeNetwork" in report) report.excludeNetwork = true;
  const { header } = /** @type {{ header: Record<string, unknown> }} */ (report.getReport());
  return Boolean(header["glibcVersionRuntime"]);
}

function processorHasAvx2() {
  try {
    return process.platform === "darwin"
      ? execFileSync("sysctl", ["-n", "hw.optional.avx2_0"], { encoding: "utf8" }).trim() === "1"
      : /^flags\b.*\bavx2\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}
