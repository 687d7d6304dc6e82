/** Argument: database. Claims it, says so, and stays until it is killed. */
import { acquireDatabaseLock } from "../../src/db/lock.ts";

acquireDatabaseLock(process.argv[2] ?? "");
process.stdout.write("held\n");
// With nothing to do a process would end.
setInterval(() => Bun.gc(true), 50);
