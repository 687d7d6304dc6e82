/** Stands in for the gateway where its real work does not matter: answers `/info`, and misbehaves as `MOOD` says. */
import { readFileSync } from "node:fs";

const { env } = process;
const mode = env["MOOD"] ?? "";
const token = readFileSync(env["AGENTPOD_GATEWAY_TOKEN_FILE"] ?? "", "utf8");

if (mode === "fails") {
  console.log("line before");
  console.error(`cannot go on with ${token}\u001b[31m`);
  process.exit(42);
}
if (mode === "hangs") await new Promise(() => setInterval(() => undefined, 1_000));
if (mode.startsWith("stubborn")) process.on("SIGTERM", () => console.log("no"));
if (mode.includes("family")) {
  const stubborn = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
  // One in this group, one in a session of its own, as a supervised agent would be.
  for (const detached of [false, true]) {
    Bun.spawn(stubborn, {
      env: { PATH: env["PATH"], HOME: env["HOME"] },
      detached,
      stdio: ["ignore", "ignore", "ignore"],
    }).unref();
  }
}
if (mode === "talks") {
  let count = 0;
  setInterval(() => console.log(`line ${++count}`), 5);
}
if (mode === "shows") console.log(JSON.stringify({ env, argv: process.argv, cwd: process.cwd() }));

Bun.serve({
  hostname: env["AGENTPOD_GATEWAY_HOST"] ?? "127.0.0.1",
  port: Number(env["AGENTPOD_GATEWAY_PORT"]),
  fetch: (request) =>
    request.headers.get("authorization") === `Bearer ${token}`
      ? Response.json({ projectId: env["AGENTPOD_PROJECT_ID"] })
      : new Response(null, { status: 401 }),
});
