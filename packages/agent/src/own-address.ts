import { networkInterfaces } from "node:os";

/**
 * The address under which others reach this machine: loopback where all servers are there too, else the first IPv4 address
 * that is not loopback.
 */
export function ownAddress(servers: readonly string[], interfaces = networkInterfaces()): string {
  if (servers.every(isLoopback)) return "127.0.0.1";
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  const outside = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  return outside?.address ?? "127.0.0.1";
}

function isLoopback(server: string): boolean {
  const host = server.replace(/^https?:\/\//, "");
  return /^(127\.|localhost\b|\[::1\]|unix:)/.test(host);
}
