import { z } from "zod";

const messageSchema = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

export type Params = Record<string, unknown>;

export interface Devtools {
  /** @throws when the browser refuses, or is gone */
  call: (method: string, params?: Params, sessionId?: string) => Promise<unknown>;
  close: () => void;
}

/** A connection to a browser by the Chrome DevTools Protocol. */
export async function connectDevtools(url: string): Promise<Devtools> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = messageSchema.parse(JSON.parse(String(data)));
    if (id === undefined) return;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  });
  socket.addEventListener("close", () => {
    for (const call of waiting.values()) call.reject(new Error("the browser is gone"));
    waiting.clear();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.addEventListener("open", () => resolve());
  socket.addEventListener("error", () => reject(new Error(`no browser answers at ${url}`)));
  await promise;
  return {
    call(method, params = {}, sessionId) {
      const id = ++lastId;
      const call = Promise.withResolvers<unknown>();
      waiting.set(id, call);
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return call.promise;
    },
    close: () => socket.close(),
  };
}
