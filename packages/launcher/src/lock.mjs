import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { say } from "./problem.mjs";

const heartbeatMs = 2_000;
const staleMs = 15_000;
const retryMs = 100;

/**
 * Lets one process at a time do the work. A holder that died, or that stopped touching the lock
 * (it may live in another container on the same checkout), is replaced.
 * @template T
 * @param {string} path a directory that exists while the lock is held
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  await mkdir(dirname(path), { recursive: true });
  for (let told = false; !(await take(path));) {
    if (!told) say("another start is setting this checkout up; waiting for it");
    told = true;
    await delay(retryMs);
  }
  const heartbeat = setInterval(() => void touch(path), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { recursive: true, force: true });
  }
}

/** @param {string} path */
async function take(path) {
  if (await create(path)) return true;
  if (!(await isStale(path))) return false;
  // Only the holder of the guard may replace a stale lock: two waiters that both saw it stale
  // would otherwise throw away each other's fresh one.
  const guard = `${path}.replace`;
  if (!(await create(guard))) {
    if (await isStale(guard)) await rm(guard, { recursive: true, force: true });
    return false;
  }
  try {
    if (!(await isStale(path))) return false;
    const dead = `${path}.${process.pid}.dead`;
    await rename(path, dead);
    await rm(dead, { recursive: true, force: true });
    return await create(path);
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}

/** @param {string} path */
async function create(path) {
  try {
    await mkdir(path);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
  await writeFile(join(path, "owner"), `${hostname()}\n${process.pid}\n`);
  return true;
}

/** @param {string} path */
async function isStale(path) {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > staleMs) return true;
    const [host, pid] = (await readFile(join(path, "owner"), "utf8")).split("\n");
    return host === hostname() && !isAlive(Number(pid));
  } catch (error) {
    // Gone, or taken so recently that its owner is not written yet.
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}

/** @param {string} path */
async function touch(path) {
  const now = new Date();
  // A lock that is gone was taken over; the work's own atomic renames keep that harmless.
  await utimes(path, now, now).catch(() => undefined);
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
