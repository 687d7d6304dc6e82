import { connect } from "node:net";

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends these bytes and reads one answer; for what an HTTP client would not send. */
export async function rawRequest(port: number, ...parts: (string | Uint8Array)[]): Promise<RawAnswer> {
  const received = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part);
    });
    let text = "";
    const finish = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setEncoding("latin1");
    socket.setTimeout(5000, finish);
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (isWhole(text)) finish();
    });
    socket.on("close", finish);
    socket.on("error", (error) => (text === "" ? reject(error) : finish()));
  });
  return parse(received);
}

function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

function parse(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [line = "", ...fields] = head.split("\r\n");
  const headers = fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return { status: Number(line.split(" ")[1] ?? 0), headers: Object.fromEntries(headers), body: rest.join("\r\n\r\n") };
}
