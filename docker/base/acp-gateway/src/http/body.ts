import { GatewayError } from "../gateway-error.ts";

/** A sender that is slower than this is not waited for. */
const READ_MS_MAX = 30_000;

/**
 * The body as it comes. Breaks off with `body_too_large` once there is more of it than announced or
 * allowed, whether or not a length was announced.
 */
export function limitedBody(request: Request, maxBytes: number): ReadableStream<Uint8Array> | null {
  refuseLength(request, maxBytes);
  if (request.body === null) return null;
  let bytes = 0;
  return request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw tooLarge(maxBytes);
        controller.enqueue(chunk);
      },
    }),
  );
}

export type BodyReader = ReturnType<typeof createBodyReader>;

/** Reads whole bodies, of which all that are being read may take `totalBytes` together. */
export function createBodyReader(totalBytes: number, readMs: number = READ_MS_MAX) {
  let held = 0;

  return {
    /** @throws GatewayError body_too_large, request_timeout, too_many_requests */
    async read(request: Request, maxBytes: number): Promise<Uint8Array> {
      refuseLength(request, maxBytes);
      if (request.body === null) return new Uint8Array();
      const reader = request.body.getReader();
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        void reader.cancel().catch(() => undefined);
      }, readMs);
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (late) throw new GatewayError("request_timeout", `send the body within ${readMs / 1000} s`);
          if (done) return join(chunks, bytes);
          bytes += value.byteLength;
          held += value.byteLength;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          if (held > totalBytes) {
            throw new GatewayError("too_many_requests", "too many large bodies at once; try again in a second", {
              retryAfterSeconds: 1,
            });
          }
          chunks.push(value);
        }
      } catch (error) {
        void reader.cancel().catch(() => undefined);
        if (error instanceof GatewayError) throw error;
        throw new GatewayError("invalid_request", "the body broke off before its end");
      } finally {
        clearTimeout(timer);
        held -= bytes;
      }
    },
  };
}

function refuseLength(request: Request, maxBytes: number): void {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): GatewayError {
  // The rest of the body is not read, so the connection cannot be used for another request.
  return new GatewayError("body_too_large", `send at most ${maxBytes} bytes`, { headers: { connection: "close" } });
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
