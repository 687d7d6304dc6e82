const usage = `Usage: npm run bench -- [api|list|events|create|gateway] [--json] [--check] [--rounds N] [--seconds N]`;

// Runs one benchmark, or all of them one after the other, each in a process of its own.
const [first, ...rest] = process.argv.slice(2);
const all = ["api", "list", "events", "create", "gateway"];
const isNamed = first !== undefined && !first.startsWith("-");
if (first === "--help" || (isNamed && !all.includes(first))) {
  console.error(usage);
  process.exit(first === "--help" ? 0 : 2);
}
const options = isNamed ? rest : process.argv.slice(2);

for (const name of isNamed ? [first] : all) {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/${name}.ts`, ...options], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) process.exitCode = child.exitCode ?? 1;
}
