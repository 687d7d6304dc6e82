export interface MemoOptions {
  /** Everything is forgotten when this gives something else. */
  version: () => unknown;
  /** How long a text may be repeated, in milliseconds; for ever without it. */
  ttlMs?: number;
  entriesMax?: number;
  now?: () => number;
}

export type Memo = ReturnType<typeof createMemo>;

/** JSON texts that were made a moment ago, as long as what they were made from is the same. */
export function createMemo({
  version,
  ttlMs = Infinity,
  entriesMax = 500,
  now = () => performance.now(),
}: MemoOptions) {
  const texts = new Map<string, string>();
  const headers = new Headers({ "content-type": "application/json", "x-content-type-options": "nosniff" });
  const init = { headers };
  let seen = version();
  let since = now();

  const forgetWhenStale = (): void => {
    const current = version();
    if (current === seen && (ttlMs === Infinity || now() - since < ttlMs)) return;
    texts.clear();
    seen = current;
    since = now();
  };
  const toAnswer = (text: string, requestId: string): Response => {
    headers.set("x-request-id", requestId);
    return new Response(text, init);
  };

  return {
    /** The answer with the text of this key, or undefined. */
    answer(key: string, requestId: string): Response | undefined {
      forgetWhenStale();
      const text = texts.get(key);
      return text === undefined ? undefined : toAnswer(text, requestId);
    },

    /** Makes the answer, and keeps its text when it is a success and nothing changed meanwhile. */
    async keep(key: string, requestId: string, make: () => Response | Promise<Response>): Promise<Response> {
      const before = version();
      const made = await make();
      if (made.status !== 200) return made;
      const text = await made.text();
      forgetWhenStale();
      if (before === seen && texts.size < entriesMax) texts.set(key, text);
      return toAnswer(text, requestId);
    },
  };
}
