import { createEventStreams } from "../../../src/http/event-streams.ts";
import { openLog, update } from "../../storage/support/open-log.ts";

// Serves a log's events as a process of its own, so that its memory can be looked at.
//   GET /events?after=N   server-sent events of the session
//   POST /updates?count=N&bytes=N   stages updates as an agent's pipe brings them, a few hundred at a time
//   GET /memory   { rss } in bytes
const [folder = ""] = process.argv.slice(2);
const { log } = openLog(folder, { synchronous: "normal" });
const streams = createEventStreams({ readers: 512, readersPerSession: 64 });
const sessionId = "ses_018f0000000070008000000000000000";
const opening = new TextEncoder().encode(": ok\n\n");

async function stage(count: number, bytes: number): Promise<void> {
  const text = "x".repeat(bytes);
  for (let index = 0; index < count;) {
    for (let line = 0; line < 256 && index < count; line += 1, index += 1) {
      log.stage(update(sessionId, `${index} ${text}`, "prm_018f0000000070008000000000000000"));
    }
    log.commitSoon();
    await log.room();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await log.settled();
}

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  routes: {
    "/events": (request) => {
      const after = Number(new URL(request.url).searchParams.get("after"));
      const reader = log.reader({ sessionId, after });
      const body = streams.start({ sessionId, reader, opening, heartbeat: opening, isOver: () => false, onEnd() {} });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
    "/updates": async (request) => {
      const { searchParams } = new URL(request.url);
      await stage(Number(searchParams.get("count")), Number(searchParams.get("bytes")));
      return Response.json({ lastSeq: log.lastSeq(sessionId) });
    },
    "/memory": () => {
      Bun.gc(true);
      return Response.json({ rss: process.memoryUsage.rss(), open: streams.count() });
    },
  },
});
console.log(server.port);
