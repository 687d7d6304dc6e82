const SANE = /^[\w.:=+/-]{1,128}$/;

/** Gives each request its id: the one it came with when that is harmless in a log, else a new one. */
export function createRequestIds(): (sent: string | null) => string {
  const prefix = `${crypto.randomUUID().slice(0, 13)}-`;
  let count = 0;
  return (sent) => {
    if (sent !== null && SANE.test(sent)) return sent;
    count += 1;
    return prefix + count;
  };
}
