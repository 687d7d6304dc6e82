/** Argument: database. Opens and migrates it. */
import { migrate } from "../../src/db/migrate.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";

const db = openDatabase(process.argv[2] ?? "");
process.stdout.write(JSON.stringify(migrate(db)));
closeDatabase(db);
