import { expect } from "bun:test";
import { eventPage, permission, session, type GatewayEvent } from "../../../src/wire/index.ts";
import { until } from "../../support/gateway.ts";
import type { follow } from "./chaos-client.ts";

/** What the test knows of a session by answers it was given. */
export type Known = {
  id: string;
  reader: ReturnType<typeof follow>;
  /** Ids of prompts that were taken. */
  accepted: Set<string>;
  /** Outcomes of permissions that were answered, as JSON. */
  answered: Map<string, string>;
  deleted: boolean;
};

type Get = (path: string, init?: RequestInit) => Promise<Response>;

/** Holds what clients were told of a session against its events and what it says of itself. */
export async function checkSession(get: Get, { id, reader, accepted, answered }: Known): Promise<void> {
  const events: GatewayEvent[] = [];
  for (let after = 0, more = true; more;) {
    const headers = { accept: "application/json" };
    const page = eventPage.parse(
      await (await get(`/v1/sessions/${id}/events?after=${after}&limit=1000`, { headers })).json(),
    );
    events.push(...page.events);
    ({ after, more } = page);
  }
  const brief = (all: readonly { seq: number; type: string }[]) => all.map(({ seq, type }) => `${seq} ${type}`);
  await until(() => reader.events.length >= events.length);
  expect(brief(reader.events.slice(0, events.length))).toEqual(brief(events));
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
  expect(events.filter(({ type }) => type === "gap")).toEqual([]);

  const own = Map.groupBy(
    events.filter(({ type }) => type.startsWith("prompt_")),
    ({ promptId }) => promptId ?? "",
  );
  for (const promptId of accepted) expect([promptId, own.has(promptId)]).toEqual([promptId, true]);
  let running: string | null = null;
  for (const { type, promptId = "" } of events) {
    if (type === "prompt_started") {
      expect([promptId, "starts while", running]).toEqual([promptId, "starts while", null]);
      running = promptId;
    } else if (running === promptId && type.startsWith("prompt_") && type !== "prompt_queued") running = null;
  }
  for (const [promptId, its] of own) {
    const { status } = (await (await get(`/v1/sessions/${id}/prompts/${promptId}`)).json()) as { status: string };
    const types = its.map(({ type }) => type);
    const started = types.includes("prompt_started") ? ["prompt_started"] : [];
    expect([promptId, ...types]).toEqual([promptId, "prompt_queued", ...started, `prompt_${status}`]);
  }

  expect(events.filter(({ data }) => JSON.stringify(data ?? null).includes("two prompts at once"))).toEqual([]);

  const outcomes = new Map<string, string[]>();
  for (const { type, data = {} } of events) {
    if (type === "permission_requested") outcomes.set(JSON.stringify(data["id"]), []);
    if (type === "permission_resolved") outcomes.get(JSON.stringify(data["id"]))?.push(JSON.stringify(data["outcome"]));
  }
  for (const [permissionId, resolved] of outcomes) expect([permissionId, resolved.length]).toEqual([permissionId, 1]);
  for (const [permissionId, outcome] of answered) expect(outcomes.get(JSON.stringify(permissionId))).toEqual([outcome]);
  const stored = (await (await get(`/v1/sessions/${id}/permissions?status=all`)).json()) as {
    permissions: unknown[];
  };
  for (const value of stored.permissions.map((one) => permission.parse(one))) {
    expect([value.id, JSON.stringify(value.outcome)]).toEqual([
      value.id,
      outcomes.get(JSON.stringify(value.id))?.[0] ?? "",
    ]);
  }

  const { status } = session.parse(await (await get(`/v1/sessions/${id}`)).json());
  const changes = events.filter(
    ({ type, data }) =>
      ["session_created", "session_opened", "session_closed"].includes(type) ||
      (type === "session_updated" && data?.["status"] !== undefined),
  );
  const isClosed = changes.at(-1)?.type === "session_closed";
  expect([id, status === "closed"]).toEqual([id, isClosed]);
}
