// A gateway's answers without its weight: what the control plane asks of one, for load tests.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const env = process.env;
const token = env.AGENTPOD_GATEWAY_TOKEN ?? readFileSync(env.AGENTPOD_GATEWAY_TOKEN_FILE, "utf8").trim();

createServer((request, response) => {
  const open = request.url === "/health";
  const known = open || request.headers.authorization === `Bearer ${token}`;
  response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
  const told = request.url === "/environment" ? { env } : { status: "ok", projectId: env.AGENTPOD_PROJECT_ID };
  response.end(known ? JSON.stringify(told) : "{}");
}).listen(Number(env.AGENTPOD_GATEWAY_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
