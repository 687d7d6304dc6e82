#!/usr/bin/env node
const nodeMajorMin = 20;
const nodeMajor = Number(process.versions.node.split(".")[0]);

if (!process.versions.bun && nodeMajor < nodeMajorMin) {
  console.error(
    `agentpod: this is Node ${process.versions.node}, and Node ${nodeMajorMin} or newer is needed. ` +
      "Install a newer Node.js (or Bun) and run the command again.",
  );
  process.exitCode = 1;
} else {
  // Loaded late, so that an old Node reaches the message above instead of a syntax error.
  const { launch } = await import("./launch.mjs");
  process.exitCode = await launch(process.argv.slice(2));
}
