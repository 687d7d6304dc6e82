/** Arguments: data folder, step, keys. Rotates as the command does, and is killed before that step. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { acquireDatabaseLock } from "../../src/db/lock.ts";
import { openDatabase } from "../../src/db/open.ts";
import { rotateKey } from "../../src/services/key-rotation.ts";
import { settleKeySwap } from "../../src/services/key-swap.ts";
import { keyFile, parseKey, readKey } from "../../src/services/secret-key.ts";

const [folder = "", at = "", from, to] = process.argv.slice(2);
const path = join(folder, "agentpod.db");
const file = keyFile(folder);
acquireDatabaseLock(path);
const db = openDatabase(path);
// So little that a transaction's pages reach the write-ahead log before its commit.
db.run("PRAGMA cache_size = 5");
if (from === undefined) settleKeySwap(db, file);
rotateKey({
  db,
  current: from === undefined ? (readKey(file) ?? new Uint8Array()) : parseKey(from, "from"),
  next: to === undefined ? new Uint8Array(randomBytes(32)) : parseKey(to, "to"),
  file: from === undefined ? file : null,
  now: () => new Date(),
  beforeStep: (step) => {
    if (step === at) process.kill(process.pid, "SIGKILL");
  },
});
