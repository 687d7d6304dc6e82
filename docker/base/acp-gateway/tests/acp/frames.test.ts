import { expect, test } from "bun:test";
import { updateMessage, updatePrefix } from "../../src/acp/frames.ts";

const message = (members: string) =>
  updateMessage(updatePrefix("ses_1"), "7", `{"seq":7,"time":"t","type":"x","sessionId":"ses_1",${members}}`);
const start = updatePrefix("ses_1");

test("an update and its _meta reach a client as the agent wrote them, with the seq beside what is there", () => {
  const update = '{"sessionUpdate":"x","n":1.0,"big":12345678901234567890,"e":1e400,"s":"\\ud800"}';
  expect(message(`"update":${update}`)).toBe(`${start}${update},"_meta":{"gateway":{"seq":7}}}}`);
  expect(message(`"_meta":{"a":1.0,"update":{"b":1}},"update":${update}`)).toBe(
    `${start}${update},"_meta":{"a":1.0,"update":{"b":1},"gateway":{"seq":7}}}}`,
  );
  expect(message(`"_meta":{ },"update":${update}`)).toBe(`${start}${update},"_meta":{"gateway":{"seq":7}}}}`);
  expect(message(`"_meta":"odd","update":${update}`)).toBe(`${start}${update},"_meta":{"gateway":{"seq":7}}}}`);
  expect(message(`"_meta":{"gateway":{"seq":1,"mine":2}},"update":${update}`)).toBe(
    `${start}${update},"_meta":{"gateway":{"seq":7,"mine":2}}}}`,
  );
});
