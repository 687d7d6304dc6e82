#!/usr/bin/env bun
import { resolve } from "node:path";
import { type CommandContext, UsageError } from "./commands/command.ts";
import { dispatch } from "./commands/dispatch.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { messageOf } from "./db/error.ts";

const context: CommandContext = {
  config: () => loadConfig(process.env, resolve(import.meta.dir, "../../..")),
  print: (text) => {
    process.stdout.write(`${text}\n`);
  },
  isTerminal: process.stdout.isTTY,
  confirm: process.stdin.isTTY ? (question) => confirm(question) : undefined,
  now: () => new Date(),
};

// Who reads through `head` has had enough; for anything else the stream's own report is best.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

// The exit code is set, not exited with, so that a pipe still gets everything.
try {
  dispatch(process.argv.slice(2), context);
} catch (error) {
  // A configuration can have several problems, each with a line of its own.
  process.stderr.write(`agentpod: ${error instanceof ConfigError ? error.message : messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
