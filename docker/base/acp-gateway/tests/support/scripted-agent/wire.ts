import { appendFileSync } from "node:fs";
import { join } from "node:path";

export type Json = Record<string, unknown>;
export type Session = {
  id: string;
  cwd: string;
  mcpServers: { name: string }[];
  mode: string;
  model: string;
  turn: Turn | null;
};
export type Turn = { cancelled: boolean; cancel: () => void; whenCancelled: Promise<void> };

/** Becomes the JSON-RPC error of the request at hand. */
export class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where sessions are kept for other processes; unset: nowhere. */
export const stateFolder = process.env["SCRIPTED_AGENT_STATE"];

const waiting = new Map<number, { resolve: (value: Json) => void; reject: (error: Error) => void }>();
let requests = 0;
export const nextId = () => ++requests;

export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise<void>((done) => process.stdout.once("drain", () => done()));
}
export const send = (message: Json) => write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

export function ask(method: string, params: Json): Promise<Json> {
  const id = nextId();
  void send({ id, method, params });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

export const update = (session: Session, change: Json) =>
  send({ method: "session/update", params: { sessionId: session.id, update: change } });
export function say(session: Session, text: string, kind = "agent_message_chunk") {
  remember(session, kind, text);
  return update(session, { sessionUpdate: kind, content: { type: "text", text } });
}

/** The client's answer to one of our requests. */
export function settle(message: { id?: number; result?: Json; error?: { message: string } }): void {
  const request = waiting.get(Number(message.id));
  waiting.delete(Number(message.id));
  if (message.error) request?.reject(new Error(message.error.message));
  else request?.resolve(message.result ?? {});
}

export const historyOf = (id: string) => join(stateFolder ?? "", `${id}.jsonl`);
export function remember(session: Session, kind: string, text: string): void {
  if (stateFolder) appendFileSync(historyOf(session.id), `${JSON.stringify({ kind, text })}\n`);
}
