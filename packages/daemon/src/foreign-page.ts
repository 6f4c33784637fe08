import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";

/**
 * The origin of the page that a browser sends a change for, where that page is not this server's own; nothing for all other
 * requests. A page of elsewhere could reach a server that listens on this machine alone, under a name of its own which it
 * lets mean 127.0.0.1; so where the connection comes from this machine, the page's host must be a name that nobody can have
 * chosen for that. Programs other than browsers send no `Origin`.
 */
export function foreignPage(message: Pick<IncomingMessage, "method" | "headers" | "socket">): string | undefined {
  const { origin, host = "" } = message.headers;
  if (origin === undefined || readingMethods.has(message.method ?? "")) return undefined;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!page || page.host !== host.toLowerCase()) return origin;
  return isLoopback(message.socket.remoteAddress ?? "") && !isOwnName(page.hostname) ? origin : undefined;
}

const readingMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

function isOwnName(name: string): boolean {
  if (isIP(name.replace(/^\[|\]$/g, "")) !== 0 || !name.includes(".")) return true;
  const own = hostname().toLowerCase();
  return /\.(localhost|consul)$/.test(name) || name === own || name.startsWith(`${own}.`);
}
