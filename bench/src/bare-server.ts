import { readFileSync } from "node:fs";

/** What a bare server gives to every request. */
export interface BareAnswer {
  status: number;
  contentType: string;
  body: string;
}

// The least that Bun can do for an answer: no routing, no reading, no checks. Its argument is the
// file that holds the answer.
const { status, contentType, body } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as BareAnswer;
const init = { status, headers: { "content-type": contentType } };
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(body, init) });
console.log(JSON.stringify({ msg: "listening", url: server.url.origin }));
