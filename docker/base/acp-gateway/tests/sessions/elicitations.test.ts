import { expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { caller, refusal, world, type World } from "./support.ts";

async function asked(w: World, id: string) {
  const { promptId } = await w.send(id, "elicit Who are you?");
  await until(() => w.manager.elicitations(id, "pending").length > 0);
  const [elicitation] = w.manager.elicitations(id, "pending");
  if (!elicitation) throw new Error("there is no question");
  return { promptId, elicitation };
}

test("a question waits for an answer that has what the form asks for; the first one wins", async () => {
  await using w = await world();
  const { id } = await w.create();
  const { promptId, elicitation } = await asked(w, id);
  expect(elicitation).toMatchObject({
    status: "pending",
    response: null,
    request: { sessionId: id, mode: "form", message: "Who are you?" },
  });
  expect(w.manager.get(id)).toMatchObject({ status: "waiting", pendingElicitations: 1 });
  const answer = (content?: Record<string, string | number>) =>
    w.manager.answerElicitation(id, elicitation.id, { action: "accept", ...(content ? { content } : {}) }, caller);
  expect((await refusal(answer())).details.errors).toMatchObject([{ path: "/content/name" }]);
  expect((await refusal(answer({ name: 7 }))).details.errors).toMatchObject([{ path: "/content/name" }]);
  expect(await answer({ name: "Ada" })).toMatchObject({ status: "answered", resolvedBy: "tester" });
  expect((await refusal(answer({ name: "Bob" }))).code).toBe("already_resolved");
  expect((await w.ended(id, promptId)).text).toBe('{"action":"accept","content":{"name":"Ada"}}');
  // The answer may be a secret; the log and the list are for every reader.
  const kept = w.manager.elicitations(id).map(({ response }) => response);
  expect(kept).toEqual([{ action: "accept" }]);
  const resolved = await w.event(id, "elicitation_resolved");
  expect(resolved.data).toEqual({ id: elicitation.id, status: "answered", resolvedBy: "tester", action: "accept" });
});

test("a question can be declined, and is cancelled with its turn", async () => {
  await using w = await world();
  const { id } = await w.create();
  const first = await asked(w, id);
  await w.manager.answerElicitation(id, first.elicitation.id, { action: "decline" }, caller);
  expect((await w.ended(id, first.promptId)).text).toBe('{"action":"decline"}');
  const second = await asked(w, id);
  await w.manager.cancel(id);
  expect(await w.ended(id, second.promptId)).toMatchObject({ text: '{"action":"cancel"}', status: "cancelled" });
  expect(w.manager.elicitations(id, "cancelled")).toMatchObject([{ id: second.elicitation.id, resolvedBy: "cancel" }]);
  const unknown = w.manager.answerElicitation(id, "eli_0", { action: "cancel" }, caller);
  expect((await refusal(unknown)).code).toBe("elicitation_not_found");
});

test("a question nobody answers in time is cancelled", async () => {
  await using w = await world({ config: { permissionTimeoutSeconds: 1 } });
  const { id } = await w.create();
  const { promptId, elicitation } = await asked(w, id);
  expect((await w.ended(id, promptId)).text).toBe('{"action":"cancel"}');
  expect(w.manager.elicitations(id)).toMatchObject([{ status: "expired", resolvedBy: "timeout" }]);
  const { data } = await w.event(id, "elicitation_resolved");
  expect(data).toEqual({ id: elicitation.id, status: "expired", resolvedBy: "timeout", action: "cancel" });
});
