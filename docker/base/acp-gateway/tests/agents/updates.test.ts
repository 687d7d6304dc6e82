import { describe, expect, test } from "bun:test";
import { bareClient, listener } from "./support.ts";

const update = (raw: string, session = "s1") =>
  `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"${session}","update":${raw}}}`;

describe("updates", () => {
  test("an update's text is handed on as it came, whatever the line looks like", () => {
    const { client, say, counters } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    const raw = '{"sessionUpdate":"x","n":1.0,"big":12345678901234567890,"e":"\\u00e9","o":{ "a" : [ ] }}';
    const lines = [
      update(raw),
      `{"method":"session/update","jsonrpc":"2.0","params":{"update":${raw},"sessionId":"s1"}}`,
      ` { "jsonrpc" : "2.0" , "method":"session/update","params":{"sessionId":"s1","update" : ${raw} , "_meta":{"k":"}"}}}  `,
      `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":{"sessionUpdate":"old"},"upd\\u0061te":${raw}}}`,
      `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":${raw},"_meta":{"a":[1,"]"]}}}`,
      `${update(raw)}\r`,
    ];
    say(...lines);
    expect(heard.updates.map((got) => got.raw)).toEqual(Array(6).fill(raw));
    expect(heard.updates.map(({ meta }) => meta)).toEqual([null, null, '{"k":"}"}', null, '{"a":[1,"]"]}', null]);
    expect(heard.updates.every((got) => got.update["sessionUpdate"] === "x")).toBe(true);
    expect(counters).toMatchObject({ updates: 6, noiseLines: 0, malformedMessages: 0 });
  });

  test("a line that only looks like an update to the end is none", () => {
    const { client, say, counters } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    say(
      update('{"sessionUpdate":"x"}},{"a":{"b":1}'),
      update('{"sessionUpdate":"x"'),
      update('"sessionUpdate"'),
      update('{"sessionUpdate":7}'),
      update('{"sessionUpdate":"good"}'),
    );
    expect(heard.updates.map(({ update }) => update["sessionUpdate"])).toEqual(["good"]);
    expect(counters).toMatchObject({ updates: 1, noiseLines: 2, malformedMessages: 2 });
  });

  test("_meta behind an update is told apart from _meta within it", () => {
    const { client, say } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    const plain = '{"sessionUpdate":"x","t":",\\"_meta\\":1"}';
    const inner = '{"sessionUpdate":"x","a":1,"_meta":{"b":2}}';
    const behind = (meta: string) => `${update(inner).slice(0, -2)},"_meta":${meta}}}`;
    const lines = [
      update(plain),
      update(inner),
      behind("{}"),
      behind('{"c":{"d":1,"_meta":3}}'),
      update(inner),
      behind("null"),
    ];
    say(...lines, ...lines, `${update(inner).slice(0, -2)},"_meta":{}},"x":{"y":1}}`);
    const expected = [
      [plain, null],
      [inner, null],
      [inner, "{}"],
      [inner, '{"c":{"d":1,"_meta":3}}'],
      [inner, null],
      [inner, null],
    ];
    expect(heard.updates.map(({ raw, meta }) => [raw, meta])).toEqual([...expected, ...expected, [inner, "{}"]]);
  });

  test("no text handed on holds a line break, even where JSON allows one", () => {
    const { client, say } = bareClient();
    const { heard, handlers } = listener();
    client.attach("s1", handlers);
    say(update('{"sessionUpdate":\r"x","t":"a\\r\\nb"}'));
    expect(heard.updates[0]?.raw).toBe('{"sessionUpdate": "x","t":"a\\r\\nb"}');
  });

  test("sessions with ids that need escapes and sessions in turns are told apart", () => {
    const { client, say } = bareClient();
    const ids = ['a"b\\c', "a", "ünï/…", ""];
    const heards = ids.map((id) => {
      const { heard, handlers } = listener();
      client.attach(id, handlers);
      return heard;
    });
    for (let round = 0; round < 3; round++) {
      for (const id of ids) {
        say({ jsonrpc: "2.0", method: "session/update", params: { sessionId: id, update: { sessionUpdate: id } } });
      }
    }
    for (const [index, id] of ids.entries()) {
      expect(heards[index]?.updates.map(({ update }) => update["sessionUpdate"])).toEqual([id, id, id]);
    }
  });

  test("what comes before a session is attached is given on attach, in order and within bounds", () => {
    const { client, say, sent, counters } = bareClient();
    say(
      update('{"sessionUpdate":"one"}'),
      { jsonrpc: "2.0", method: "x/note", params: { sessionId: "s1" } },
      { jsonrpc: "2.0", id: "r", method: "x/ask", params: { sessionId: "s1" } },
      update('{"sessionUpdate":"two"}'),
    );
    const { heard, handlers } = listener();
    const detach = client.attach("s1", handlers);
    expect(heard.updates.map(({ update }) => update["sessionUpdate"])).toEqual(["one", "two"]);
    expect(heard.notifications).toHaveLength(1);
    expect(heard.requests).toHaveLength(1);

    const large = update(`{"sessionUpdate":"x","t":"${"y".repeat(1024 * 1024)}"}`, "other");
    for (let count = 0; count < 10; count++) say(large);
    expect(counters.droppedMessages).toBe(3);

    detach();
    say(update('{"sessionUpdate":"late"}'), { jsonrpc: "2.0", id: 5, method: "x/ask", params: { sessionId: "s1" } });
    expect(heard.updates).toHaveLength(2);
    expect(sent.at(-1)).toMatchObject({ id: 5, error: { code: -32002 } });
  });

  test("a handler that throws does not stop the lines after it", () => {
    const { client, say, logged } = bareClient();
    const { heard, handlers } = listener();
    let thrown = false;
    client.attach("s1", {
      ...handlers,
      onUpdate(...args) {
        if (thrown) return handlers.onUpdate(...args);
        thrown = true;
        throw new Error("a bug");
      },
    });
    say(update('{"sessionUpdate":"a"}'), update('{"sessionUpdate":"b"}'));
    expect(heard.updates.map(({ update }) => update["sessionUpdate"])).toEqual(["b"]);
    expect(logged).toHaveLength(1);
  });
});
