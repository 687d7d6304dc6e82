import { Database } from "bun:sqlite";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../support/gateway.ts";
import { drain, openLog, texts, update, write } from "./open-log.ts";

// Does with a log what may have SQLite make or remove files, and says how it went: `sealed-log.ts FOLDER MiB [full]`.
const [folder = "", mebibytes = "", full] = process.argv.slice(2);
const MiB = 1024 * 1024;
const TEXT = "x".repeat(200_000);
const file = join(folder, "log/gateway.sqlite");

const { log, reports } = openLog(folder, {
  synchronous: "normal",
  limits: { tailBytes: 1, retryMs: 20 },
  ...(full === undefined && { retention: { bytes: 8 * MiB, sessionBytes: 6 * MiB, days: 1 } }),
});
let walBytes = 0;

async function fill(bytes: number): Promise<void> {
  for (let written = 0; written < bytes; written += TEXT.length) {
    await write(log, update(`ses_${written % 3}`, TEXT));
    walBytes = Math.max(walBytes, statSync(`${file}-wal`).size);
  }
}

const other = new Database(file);
for (const mode of ["PASSIVE", "FULL", "RESTART", "TRUNCATE"]) {
  await fill(TEXT.length);
  other.run(`PRAGMA wal_checkpoint(${mode})`);
}
// A reader keeps the write-ahead log from being begun anew.
other.run("BEGIN");
other.query("SELECT count(*) FROM meta").get();
await fill(Number(mebibytes) * MiB);
other.run("COMMIT");
other.close();
await until(async () => {
  await fill(TEXT.length);
  return full !== undefined || statSync(`${file}-wal`).size < Number(mebibytes) * MiB;
}, 20_000);

if (full !== undefined) {
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, Buffer.alloc(24 * MiB));
  for (let left = 1000; left > 0 && !log.isFull(); left -= 1) {
    log.stage(update("ses_full", TEXT));
    await log.settled().catch(() => undefined);
  }
  if (!log.isFull()) throw new Error("the disk is not full");
  rmSync(ballast);
  await until(() => !log.isFull());
}
await write(log, update("last", "the last"));
const last = texts(drain(log.reader({ sessionId: "last", after: 0 })));
const { bytes } = log.stats();
const modeOpen = statSync(join(folder, "log")).mode & 0o777;
log.close();
console.log(JSON.stringify({ reports, last, bytes, walBytes, modeOpen }));
