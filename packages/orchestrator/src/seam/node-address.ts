import { BlockList, isIP } from "node:net";
import { WireMistake } from "@millwright/text/wire-fields";

/** What means another thing on each machine: a server that asks there asks itself, or what its own network has for it alone. */
const ownOfEach = new BlockList();
for (const [network, prefix] of [
  ["127.0.0.0", 8],
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
] as const)
  ownOfEach.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["fe80::", 10],
] as const)
  ownOfEach.addSubnet(network, prefix, "ipv6");

/**
 * Checks where a node says that it is to be asked: users' requests are sent there. An IP address and a port, nothing behind them, and
 * one of this machine alone only where the node is on it too. `remote` is where the registration came from, with its port. Throws
 * `WireMistake`.
 */
export function checkNodeAddress(httpAddress: string, remote: string): void {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(httpAddress) ?? [];
  const host = bracketed ?? plain ?? "";
  const isAddress = isIP(host) === (bracketed === undefined ? 4 : 6) && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isAddress)
    throw new WireMistake(`The HTTPAddress ${JSON.stringify(httpAddress)} of the node is no IP address with a port`);
  const from = remote.replace(/:\d+$/, "");
  if (!isOwnOfEach(host) || isIP(from) === 0 || isOwnOfEach(from)) return;
  const text = `The HTTPAddress ${httpAddress} of the node means another machine here than there. Start the agent with -advertise=ADDRESS.`;
  throw new WireMistake(text);
}

function isOwnOfEach(host: string): boolean {
  return ownOfEach.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
}
