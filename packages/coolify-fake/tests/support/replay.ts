import type { CoolifyFake } from "../../src/index.ts";
import { differences, type Ids, translate } from "./compare.ts";
import type { Exchange } from "./exchanges.ts";
import { extract, tellsValues } from "./extracts.ts";

/** Sends a recorded request to the fake and returns how its answer differs from the recorded one. */
export async function replay(fake: CoolifyFake, exchange: Exchange, ids: Ids): Promise<string[]> {
  const { method, request_headers, status, response_headers, response_json, response_text } = exchange;
  const body =
    exchange.request_raw ?? (exchange.request_json === undefined ? null : JSON.stringify(exchange.request_json));
  const headers = new Headers(request_headers);
  const token = tokenOf(fake, request_headers["Authorization"]);
  if (token !== null) headers.set("Authorization", token);
  const answer = await fetch(fake.url + translate(exchange.path, ids), {
    method,
    headers,
    redirect: "manual",
    ...(body === null ? {} : { body: translate(body, ids) }),
  });
  const text = await answer.text();
  const found = answer.status === status ? [] : [`status ${answer.status} instead of ${status}: ${text.slice(0, 300)}`];
  for (const [name, value] of Object.entries(response_headers)) {
    const given = answer.headers.get(name);
    if (given === null) found.push(`header ${name} is missing`);
    else if (/^(?:content-type|allow)$/.test(name) && given !== value) found.push(`header ${name}: ${given}`);
  }
  if (answer.status !== status) return found;
  if (response_text !== undefined)
    return response_text.startsWith("<") || text === response_text ? found : [...found, text];
  const exact = status >= 400 || tellsValues(exchange) || isMessage(response_json);
  return [...found, ...differences(response_json, extract(exchange, JSON.parse(text)), ids, exact)];
}

const isMessage = (json: unknown) => typeof json === "object" && json !== null && "message" in json;

/** The recording names tokens instead of showing them. */
function tokenOf(fake: CoolifyFake, header: string | undefined): string | null {
  const name = header?.match(/^Bearer <(\w+) token>$/)?.[1];
  if (name === undefined) return null;
  const token = Object.entries(fake.tokens).find(([known]) => known === name)?.[1];
  if (token === undefined) throw new Error(`the fake has no ${name} token`);
  return `Bearer ${token}`;
}
