import type { Random } from "../random.ts";

export type Header = readonly [name: string, value: string];

const values: Readonly<Record<string, readonly string[]>> = {
  prefer: [
    "wait=1",
    "wait=0",
    "wait=-1",
    "wait=1.5",
    "wait=x",
    "respond-async, wait=1",
    "wait = 2;x",
    "w".repeat(3_000),
  ],
  "last-event-id": ["0", "1", "-1", "1e3", "abc", "", "999999999999999", "9".repeat(400), "0x10", " 1 "],
  "idempotency-key": ["one", "", "two words", "k".repeat(255), "k".repeat(3_000), "\u00e9\u00ff", '"quoted"', "../.."],
  accept: ["*/*", "text/event-stream", "text/plain", "application/xml;q=0.1", "", ",,,;q=x", "a".repeat(3_000)],
  "if-none-match": ["*", '"x"', 'W/"x"', "x", '"', `${'"x",'.repeat(500)}*`],
  "if-match": ["*", '"x"'],
  "if-modified-since": ["Thu, 01 Jan 1970 00:00:00 GMT", "never"],
  range: ["bytes=0-1", "bytes=9-1,-5"],
  origin: ["null", "http://evil.example", "http://127.0.0.1", "x", "\u00ff"],
  "sec-fetch-site": ["cross-site", "same-origin", "x"],
  authorization: ["Bearer ", "Bearer \u00ff\u00fe", `Bearer ${"t".repeat(3_000)}`, "Basic eDp5", "x"],
  "content-encoding": ["gzip", "br", "identity", "x"],
  "content-language": ["\u00ff"],
  cookie: ["a=b; a=c", "=;=;"],
  "x-request-id": ["mine", "", "r".repeat(300), "a b", "<script>", "\u00ff"],
  "x-forwarded-for": ["1.2.3.4, ::1", "x"],
  "x-http-method-override": ["DELETE"],
  "access-control-request-method": ["POST", "x"],
  connection: ["keep-alive", "close", "upgrade"],
  upgrade: ["websocket", "h2c"],
  te: ["trailers"],
  "accept-encoding": ["gzip, br", "x"],
};
const names = Object.keys(values);

/** Headers that are allowed, and mean little or too much. */
export function oddHeaders({ below, pick }: Random): Header[] {
  const chosen = Array.from({ length: 1 + below(3) }, (): Header => {
    const name = pick(names);
    return [name, pick(values[name] ?? [""])];
  });
  // Twice the same, or twice different.
  const [first] = chosen;
  if (first !== undefined && below(4) === 0) return [...chosen, [first[0], pick(values[first[0]] ?? [""])]];
  return chosen;
}

const contentTypes = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/jsonx",
  "application/json; charset=utf-16",
  "application/json, application/json",
  "application/problem+json",
  "APPLICATION/JSON;charset=UTF-8",
  "",
  "x",
];

export const oddContentType = ({ pick }: Random): string => pick(contentTypes);

const brokenHeads: readonly Header[] = [
  ["bad name", "x"],
  ["x-control", "a\u0001b\u0000c"],
  ["x-long", "x".repeat(40_000)],
  ["", "no name"],
  ["host", "evil.example"],
  ["content-length", "-1"],
  ["content-length", "1e3"],
  ["content-length", "99999999999999999999999"],
  ["transfer-encoding", "gzip"],
  ["expect", "200-maybe"],
];

/** A header that HTTP itself does not allow, or not there. */
export const brokenHeader = ({ pick }: Random): Header => pick(brokenHeads);
