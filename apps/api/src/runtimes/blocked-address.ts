import { BlockList, isIP } from "node:net";

const blocked = new BlockList();
// This host, link-local (which is also where clouds serve machine credentials), unspecified, multicast.
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  blocked.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128],
] as const) {
  blocked.addSubnet(network, prefix, "ipv6");
}

/** Whether nothing may be fetched from this IP address because it is this machine or link-local. */
export function isBlockedAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const family = isIP(plain);
  if (family === 4) return blocked.check(plain, "ipv4");
  if (family === 6) return blocked.check(plain, "ipv6") || embedded(plain).some((v4) => blocked.check(v4, "ipv4"));
  return false;
}

/** The same for a host as a URL has it; of names only those that always mean this machine. */
export function isBlockedHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.+$/, "");
  // The URL class reads 2130706433 and 0x7f.1 as addresses for http alone; git would for ssh as well.
  const asHttp = URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`).hostname : name;
  return name === "localhost" || name.endsWith(".localhost") || isBlockedAddress(asHttp);
}

/** The IPv4 address inside an IPv6 one: mapped (::ffff:0:0/96), compatible (::/96), NAT64, 6to4. */
function embedded(address: string): string[] {
  const groups = expand(address);
  const v4 = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const [first = 0, second = 0, third = 0] = groups;
  const tail = v4(groups[6] ?? 0, groups[7] ?? 0);
  const zeroUpTo = (count: number) => groups.slice(0, count).every((group) => group === 0);
  if (zeroUpTo(5) && (groups[5] === 0xffff || groups[5] === 0)) return [tail];
  if (first === 0x64 && second === 0xff9b) return [tail];
  return first === 0x2002 ? [v4(second, third)] : [];
}

/** Eight numbers of a valid IPv6 address. */
function expand(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = (dotted?.slice(1) ?? []).map(Number);
  const plain = dotted ? address.replace(dotted[0], `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`) : address;
  const [head = "", tail] = plain.split("::");
  const numbers = (text: string | undefined) => (text ? text.split(":").map((group) => Number.parseInt(group, 16)) : []);
  const front = numbers(head);
  const back = numbers(tail);
  return tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}
