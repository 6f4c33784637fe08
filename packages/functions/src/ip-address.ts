/** An IP address as a number of 32 or 128 bits. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** An address block: `value` is its first address. */
export interface IpNetwork extends IpAddress {
  readonly prefixLength: number;
}

/**
 * Reads an address as Go did before version 1.17, so that old configurations stay as they are: in `010.1.2.3` the leading
 * zeros are allowed and mean nothing. Undefined where it is no address.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.includes(":")) return parseIpv6(text);
  const value = parseIpv4(text);
  return value === undefined ? undefined : { bits: 32, value };
}

/** Reads `10.0.0.0/8`; the bits behind the prefix are cleared. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, host, length] = /^([^/]*)\/([0-9]+)$/.exec(text) ?? [];
  const address = host === undefined ? undefined : parseIp(host);
  const prefixLength = Number(length);
  if (!address || prefixLength > address.bits) return undefined;
  return networkOf(address, prefixLength);
}

/** The block of that size which holds the address. */
export function networkOf({ bits, value }: IpAddress, prefixLength: number): IpNetwork {
  const hostBits = BigInt(bits - prefixLength);
  return { bits, value: (value >> hostBits) << hostBits, prefixLength };
}

/** How many addresses a block has. */
export function sizeOf({ bits, prefixLength }: IpNetwork): bigint {
  return 1n << BigInt(bits - prefixLength);
}

export function contains(network: IpNetwork, address: IpAddress): boolean {
  return address.bits === network.bits && networkOf(address, network.prefixLength).value === network.value;
}

/** An IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`). */
export function isMappedIpv4({ bits, value }: IpAddress): boolean {
  return bits === 128 && value >> 32n === 0xffffn;
}

export function formatNetwork(network: IpNetwork): string {
  const length = isMappedIpv4(network) ? Math.max(0, network.prefixLength - 96) : network.prefixLength;
  return `${formatIp(network)}/${length}`;
}

/** Dotted decimal, or the shortest form of IPv6 (RFC 5952). */
export function formatIp(address: IpAddress): string {
  const { bits, value } = address;
  if (bits === 32 || isMappedIpv4(address)) return formatIpv4(value & 0xffffffffn);
  return formatGroups(value);
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

/** All eight groups of a 128-bit number, with the longest run of zeros (two at least) cut short. */
export function formatGroups(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let [start, length] = [0, 1];
  for (let i = 0; i < groups.length; i++) {
    let run = 0;
    while (groups[i + run] === "0") run++;
    if (run > length) [start, length] = [i, run];
  }
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]+$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(Number(part)), 0n);
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [before, behind] = [groupsOf(halves[0]!, halves.length === 1), groupsOf(halves[1] ?? "", true)];
  if (!before || !behind) return undefined;
  const missing = 8 - before.length - behind.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...new Array<bigint>(missing).fill(0n), ...behind];
  return { bits: 128, value: groups.reduce((value, group) => (value << 16n) | group, 0n) };
}

/** The 16-bit groups between colons; the last may be an IPv4 address, where it is the last of all. */
function groupsOf(text: string, isLast: boolean): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const dotted = isLast && i === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined;
    if (dotted !== undefined) groups.push(dotted >> 16n, dotted & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
