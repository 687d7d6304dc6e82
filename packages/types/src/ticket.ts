import { z } from "zod";

const PATHS = /^\/api\/(?:events|projects\/[\w-]{1,128}\/(?:events|logs|agent\/[!-"$->@-~]+))$/;

/** Asks for what a browser can put into a URL where it cannot send the token. */
export const TicketRequest = z
  .strictObject({
    path: z
      .string()
      .max(4096)
      .regex(
        PATHS,
        "use /api/events, or events, logs or agent/… of a project, as a URL has it and without query, such as /api/projects/ID/events",
      )
      .describe("The one path that the ticket opens"),
  })
  .meta({ id: "TicketRequest" });
export type TicketRequest = z.infer<typeof TicketRequest>;

export const Ticket = z
  .object({
    ticket: z.string().describe("For `?ticket=` of one GET or WebSocket"),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: "Ticket" });
export type Ticket = z.infer<typeof Ticket>;
