/**
 * Opens connections and holds them, in a process of its own as each may have only so many files. Arguments:
 * host, port, count and what each sends. Says on stdout how many are open, have been answered and closed.
 */
const [host = "", port = "", count = "", text = ""] = process.argv.slice(2);
const told = { tried: 0, opened: 0, answered: 0, closed: 0, failed: 0 };

setInterval(() => console.log(JSON.stringify(told)), 100);

function open(): void {
  told.tried += 1;
  Bun.connect({
    hostname: host,
    port: Number(port),
    socket: {
      open(socket) {
        told.opened += 1;
        if (text !== "") socket.write(text);
      },
      data: () => void (told.answered += 1),
      close: () => void (told.closed += 1),
      error: () => undefined,
    },
  }).catch(() => void (told.failed += 1));
}

for (let index = 0; index < Number(count); index += 1) {
  open();
  if (index % 200 === 199) await Bun.sleep(1);
}
