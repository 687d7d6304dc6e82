import { z } from "zod";
import { timestamp } from "./json.ts";

const columns = z.int().min(1).max(1000);
const rows = z.int().min(1).max(1000);

export const newTerminal = z
  .strictObject({
    command: z
      .array(z.string().min(1).max(65_536))
      .min(1)
      .max(256)
      .optional()
      .describe("Program and arguments, given to it as they are"),
    agent: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .optional()
      .describe("With `authMethodId`: runs this agent's own program so that a person can log in"),
    authMethodId: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("A method of type `terminal` of the agent's initialize result"),
    cwd: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe("Absolute, or relative to the workspace. Absent: the workspace"),
    columns: columns.default(80),
    rows: rows.default(24),
    title: z.string().trim().min(1).max(500).optional(),
  })
  .refine(({ agent, authMethodId }) => (agent === undefined) === (authMethodId === undefined), {
    error: "agent and authMethodId belong together",
    path: ["authMethodId"],
  })
  .refine(({ agent, command }) => agent === undefined || command === undefined, {
    error: "an agent runs its own command; leave this out",
    path: ["command"],
  })
  .meta({
    description: "Body of `POST /v1/terminals`. Neither command nor agent: a shell",
    examples: [{}, { command: ["npm", "test"], cwd: "app" }, { agent: "claude", authMethodId: "claude-login" }],
  });
export type NewTerminal = z.infer<typeof newTerminal>;

export const terminal = z
  .object({
    id: z.string(),
    title: z.string().nullable(),
    command: z.array(z.string()),
    agent: z.string().nullable(),
    authMethodId: z.string().nullable(),
    cwd: z.string(),
    columns,
    rows,
    status: z.enum(["running", "exited"]),
    pid: z.int(),
    exitCode: z.int().nullable().describe("Null while it runs, and when a signal ended it"),
    signal: z.string().nullable(),
    viewers: z.int().nonnegative(),
    outputBytes: z.int().nonnegative().describe("Bytes it has put out so far"),
    createdAt: timestamp,
    exitedAt: timestamp.nullable(),
  })
  .describe("A terminal as every answer shows it. It stays for a while after its program has ended");
export type Terminal = z.infer<typeof terminal>;

export const terminalList = z.object({ terminals: z.array(terminal) });

export const terminalControl = z
  .strictObject({ type: z.literal("resize"), columns, rows })
  .describe("What a viewer sends as a text frame. Binary frames are input");

export const terminalNotice = z
  .discriminatedUnion("type", [
    /** First of all. The output that follows begins at this byte of all output. */
    z.object({ type: z.literal("ready"), terminal, offset: z.int().nonnegative() }),
    /** So many bytes are kept no more; what follows begins at `offset`. */
    z.object({ type: z.literal("gap"), bytes: z.int().positive(), offset: z.int().nonnegative() }),
    z.object({ type: z.literal("resize"), columns, rows }),
    /** The program has ended and all its output was sent. The socket closes. */
    z.object({ type: z.literal("exit"), exitCode: z.int().nullable(), signal: z.string().nullable() }),
    /** What the viewer sent could not be used. */
    z.object({ type: z.literal("error"), message: z.string() }),
  ])
  .describe("What a viewer is sent as text frames, between the output in binary frames");
export type TerminalNotice = z.infer<typeof terminalNotice>;
