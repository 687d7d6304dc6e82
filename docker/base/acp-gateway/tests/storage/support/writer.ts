import { openLog, update } from "./open-log.ts";

// Writes events of several sessions without end and says which numbers are committed: `session seq text`, one a line.
const [folder = "", run = "", synchronous = "normal"] = process.argv.slice(2);
const { log } = openLog(folder, {
  synchronous: synchronous === "off" ? "off" : "normal",
  limits: { tailBytes: 10_000 },
  retention: { bytes: 2 ** 40, sessionBytes: 2 ** 40, days: 0 },
});

for (let batch = 0; ; batch += 1) {
  const lines: string[] = [];
  for (let index = 0; index < 1 + (batch % 200); index += 1) {
    const sessionId = `ses_${index % 3}`;
    const text = `${run}.${batch}.${index} ${"x".repeat(batch % 500)}`;
    log.stage(update(sessionId, text), (seq) => lines.push(`${sessionId} ${seq} ${run}.${batch}.${index}`));
  }
  log.stageWrite((db) => {
    db.run("INSERT INTO meta VALUES ('batches', ?1) ON CONFLICT DO UPDATE SET value = ?1", [
      `${run}.${batch} ${lines.length}`,
    ]);
  });
  await log.settled();
  // A pipe takes it before the next commit begins.
  await Bun.write(Bun.stdout, `${lines.join("\n")}\n`);
}
