/** Argument: key file. Prints the key. */
import { loadOrCreateKey } from "../../src/services/secret-box.ts";

process.stdout.write(Buffer.from(loadOrCreateKey({ file: process.argv[2] ?? "" })).toString("hex"));
