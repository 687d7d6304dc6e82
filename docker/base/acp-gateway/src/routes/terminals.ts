import { json, noContent, route } from "../http/route.ts";
import type { Surface } from "../http/surface.ts";
import { GatewayError } from "../gateway-error.ts";
import type { TerminalManager } from "../terminals/terminal-manager.ts";
import { terminalSocket } from "../terminals/terminal-socket.ts";
import { newTerminal, terminal, terminalList } from "../wire/index.ts";

/** Terminals of the sandbox. Who has one can do all that the sandbox's user can, hence the scope. */
export function createTerminalSurface({ terminals }: { terminals: TerminalManager }): Surface {
  return {
    routes: [
      route({
        method: "GET",
        path: "/v1/terminals",
        scope: "admin",
        summary: "All terminals, also those whose programs ended lately",
        responses: { 200: { description: "The terminals, oldest first", schema: terminalList } },
        handler: () => json({ terminals: terminals.list() }),
      }),
      route({
        method: "POST",
        path: "/v1/terminals",
        scope: "admin",
        summary: "Opens a terminal with a shell, a command, or an agent's login",
        body: newTerminal,
        responses: { 201: { description: "The terminal; its output is at …/ws", schema: terminal } },
        errors: [
          "path_not_allowed",
          "agent_not_found",
          "file_not_found",
          "agent_not_installed",
          "not_supported",
          "too_many_terminals",
        ],
        async handler({ body }) {
          const created = await terminals.create(body);
          return json(created, 201, { location: `/v1/terminals/${created.id}` });
        },
      }),
      route({
        method: "GET",
        path: "/v1/terminals/:id",
        scope: "admin",
        summary: "One terminal",
        responses: { 200: { description: "The terminal", schema: terminal } },
        errors: ["terminal_not_found"],
        handler: ({ params }) => json(terminals.find(params.id).describe()),
      }),
      route({
        method: "DELETE",
        path: "/v1/terminals/:id",
        scope: "admin",
        summary: "Ends a terminal's program and all it started, and forgets the terminal",
        responses: { 204: { description: "It is gone" } },
        errors: ["terminal_not_found"],
        async handler({ params }) {
          await terminals.remove(params.id);
          return noContent();
        },
      }),
    ],
    sockets: [
      {
        path: "/v1/terminals/:id/ws",
        scope: "admin",
        summary: "Input and output as binary frames, control as JSON; ?after= is the byte of output to begin with",
        connect: ({ url, params: { id = "" } }) => terminalSocket(terminals.find(id), outputPosition(url)),
      },
    ],
    close: () => terminals.close(),
  };
}

function outputPosition(url: URL): number {
  const after = url.searchParams.get("after") ?? "0";
  if (/^\d{1,15}$/.test(after)) return Number(after);
  throw new GatewayError("invalid_request", "after is the number of bytes of output that were seen");
}
