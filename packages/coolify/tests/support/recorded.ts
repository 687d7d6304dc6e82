import { z } from "zod";

const Recorded = z.object({
  label: z.string(),
  method: z.enum(["GET", "POST", "PATCH", "PUT", "DELETE"]),
  path: z.string(),
  request_headers: z.record(z.string(), z.string()),
  request_json: z.unknown().optional(),
  request_raw: z.string().optional(),
  status: z.int(),
  response_headers: z.record(z.string(), z.string()),
  response_json: z.unknown().optional(),
  response_text: z.string().optional(),
});

/** One exchange with a real Coolify 4.3.10; `line` is where it stands in the file, from 1. */
export interface Recorded extends z.infer<typeof Recorded> {
  line: number;
  /** The path below `/api/v1`, each identifier of 24 characters written as `{id}`. */
  route: string;
  /** The identifiers in the path, in order. */
  ids: string[];
  query: Record<string, string>;
}

const file = new URL("../exchanges.jsonl", import.meta.url);

/** Every recorded exchange, in order. */
export async function recordedExchanges(): Promise<Recorded[]> {
  const lines = (await Bun.file(file).text()).trimEnd().split("\n");
  return lines.map((text, index) => {
    const exchange = Recorded.parse(JSON.parse(text));
    const url = new URL(exchange.path, "http://coolify.test");
    const parts = url.pathname.replace(/^\/api(\/v1)?/, "").split("/");
    const isId = (part: string) => /^[a-z0-9]{24}$/.test(part) || part === "nope";
    return {
      ...exchange,
      line: index + 1,
      route: parts.map((part, at) => (at > 1 && isId(part) ? "{id}" : part)).join("/"),
      ids: parts.filter((part, at) => at > 1 && isId(part)),
      query: Object.fromEntries(url.searchParams),
    };
  });
}

/** An exchange's body as the server sent it, less what the recording left out. */
export function answerBody(exchange: Recorded): unknown {
  return exchange.response_text ?? exchange.response_json;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
