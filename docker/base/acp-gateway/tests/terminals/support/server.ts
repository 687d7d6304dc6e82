/** Serves terminals in a process of their own, whose memory is that of the server alone. Says its port first. */
import { openTerminals } from "./world.ts";

const world = await openTerminals();
process.stdout.write(`${world.port}\n`);
process.once("SIGTERM", () => void world[Symbol.asyncDispose]().then(() => process.exit(0)));
