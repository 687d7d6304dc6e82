import { BlockList, isIP } from "node:net";

const blocked = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Where clouds serve a machine's credentials outside the link-local range.
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
] as const) {
  blocked.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::", 32],
  ["fd20:ce::", 32],
] as const) {
  blocked.addSubnet(network, prefix, "ipv6");
}

const localNames = /(?:^|\.)(?:localhost6?|localhost6?\.localdomain6?|ip6-localhost|ip6-loopback)$/;
const metadataNames = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "instance-data",
  "instance-data.ec2.internal",
]);

/**
 * Whether nothing may be fetched from this IP address: it is this machine, link-local, multicast, or
 * where a cloud serves credentials. Private networks are not blocked, as self-hosted forges live there.
 */
export function isBlockedAddress(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (isIP(plain) === 4) return blocked.check(plain, "ipv4");
  if (isIP(plain) !== 6) return false;
  return blocked.check(plain, "ipv6") || embeddedIpv4(plain).some((inner) => blocked.check(inner, "ipv4"));
}

/** The same for a host name or address; of names only those that always mean such an address. */
export function isBlockedHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.+$/, "");
  return localNames.test(name) || metadataNames.has(name) || isBlockedAddress(name);
}

/** The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address. */
function embeddedIpv4(address: string): string[] {
  const groups = expand(address);
  const dotted = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const leadsWithZeros = groups.slice(0, 5).every((group) => group === 0);
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b;
  if (isNat64 || (leadsWithZeros && (groups[5] === 0 || groups[5] === 0xffff))) return [dotted(groups[6], groups[7])];
  return groups[0] === 0x2002 ? [dotted(groups[1], groups[2])] : [];
}

/** The eight groups of a valid address. */
function expand(address: string): number[] {
  const end = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [a = 0, b = 0, c = 0, d = 0] = (end?.slice(1) ?? []).map(Number);
  const hex = [(a << 8) | b, (c << 8) | d].map((group) => group.toString(16)).join(":");
  const [head = "", tail] = (end ? address.replace(end[0], hex) : address).split("::");
  const toNumbers = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = toNumbers(head);
  const after = tail === undefined ? [] : toNumbers(tail);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => 0), ...after];
}
