import { monotonicMs } from "./clock.ts";
import { AGENT_SESSION, LAST, updateLine } from "./updates.ts";

// An agent without a model. `flood` writes the prepared lines of the file in its argument as fast as the
// pipe takes them; `pace COUNT MS` writes an update every so often, each with the time it was written at.
const [file = ""] = process.argv.slice(2);

type Message = { id?: number; method?: string; params?: { prompt?: { text?: string }[] } };

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

async function flood(): Promise<void> {
  // Cheaper than anything of our own, so that the agent takes no time from what is measured.
  await Bun.spawn(["cat", file], { stdio: ["ignore", "inherit", "inherit"] }).exited;
}

async function pace(count: number, everyMs: number): Promise<void> {
  const start = monotonicMs();
  for (let index = 0; index < count; index += 1) {
    await Bun.sleep(start + index * everyMs - monotonicMs());
    const last = index === count - 1 ? LAST : "";
    process.stdout.write(updateLine(`n=${index} at=${monotonicMs()} ${last}`));
  }
}

async function prompt(text: string): Promise<void> {
  const [command, count, everyMs] = text.split(" ");
  if (command === "flood") await flood();
  else await pace(Number(count), Number(everyMs));
}

async function answer({ method, params }: Message): Promise<object> {
  switch (method) {
    case "initialize":
      return { protocolVersion: 1, agentCapabilities: {}, authMethods: [] };
    case "session/new":
      return { sessionId: AGENT_SESSION };
    case "session/prompt":
      await prompt(params?.prompt?.[0]?.text ?? "");
      return { stopReason: "end_turn" };
    default:
      return {};
  }
}

for await (const line of console) {
  const message = JSON.parse(line) as Message;
  if (message.id !== undefined) send({ id: message.id, result: await answer(message) });
}
