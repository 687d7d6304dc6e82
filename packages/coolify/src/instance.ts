import { CoolifyError } from "./errors.ts";
import type { CallOptions, Transport } from "./transport.ts";

export function createInstance({ send }: Transport) {
  return {
    /** Resolves when the instance answers; needs no token and works with the API disabled. */
    async health(options: CallOptions = {}): Promise<void> {
      const { text, status } = await send({ method: "GET", route: "/health", versioned: false, ...options });
      if (text.trim() !== "OK") throw notCoolify("GET /health", status);
    },

    /** The instance's version, such as `4.3.10`; needs `read`. */
    async version(options: CallOptions = {}): Promise<string> {
      const { text, status } = await send({ method: "GET", route: "/version", ...options });
      const version = text.trim();
      if (!/^v?\d+\.\d+\.\d+[0-9A-Za-z.+-]{0,40}$/.test(version)) throw notCoolify("GET /version", status);
      return version;
    },
  };
}

function notCoolify(call: string, status: number): CoolifyError {
  return new CoolifyError("unexpected_response", `${call}: this is not how Coolify answers; is this its address?`, {
    status,
  });
}
