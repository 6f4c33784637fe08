import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { longestTimer } from "@millwright/core/ports";
import { SocksClient } from "socks";
import type { Proxy } from "./connection.ts";

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens a way through a proxy. `left`: how long it may take, in milliseconds. Rejects with an error that says what the proxy did,
 * and with the signal's reason.
 */
export async function throughProxy(
  proxy: Proxy,
  to: ProxyTarget,
  { left, signal }: { readonly left: number; readonly signal: AbortSignal },
): Promise<Duplex> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timerOf(left))]);
  try {
    return await (proxy.scheme === "socks5" ? throughSocks(proxy, to, limit) : throughHttp(proxy, to, limit));
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted ? "no answer in time" : error instanceof Error ? error.message : String(error);
    throw new Error(`the proxy ${proxy.host}:${proxy.port} opened no way: ${why}`, { cause: error });
  }
}

function timerOf(milliseconds: number): number {
  return Math.min(longestTimer, Math.max(1, Math.round(milliseconds)));
}

function throughHttp(proxy: Proxy, { host, port }: ProxyTarget, signal: AbortSignal): Promise<Duplex> {
  const path = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { user, password = "" } = proxy;
  const login = user === undefined ? undefined : Buffer.from(`${user}:${password}`).toString("base64");
  const headers = { host: path, ...(login === undefined ? {} : { "proxy-authorization": `Basic ${login}` }) };
  const send = proxy.scheme === "https" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send({
      method: "CONNECT",
      host: proxy.host,
      port: proxy.port,
      path,
      headers,
      signal,
      agent: false,
    });
    request.once("error", reject);
    request.once("connect", ({ statusCode = 0, statusMessage }, socket, head) => {
      if (statusCode === 200) {
        // What the machine says first may have come with the proxy's answer.
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.destroy();
      reject(new Error(`it answered ${statusCode} ${statusMessage ?? ""}`.trim()));
    });
    request.once("response", ({ statusCode }) => {
      request.destroy();
      reject(new Error(`it answered ${statusCode}`));
    });
    request.end();
  });
}

async function throughSocks(proxy: Proxy, destination: ProxyTarget, signal: AbortSignal): Promise<Duplex> {
  const { host, port, user, password } = proxy;
  // The library knows no signal; its connection ends with this one.
  const own = connect({ host, port });
  const end = () => own.destroy();
  signal.addEventListener("abort", end, { once: true });
  try {
    await once(own, "connect", { signal });
    const { socket } = await SocksClient.createConnection({
      command: "connect",
      destination: { ...destination },
      timeout: longestTimer,
      existing_socket: own,
      proxy: {
        host,
        port,
        type: 5,
        ...(user === undefined ? {} : { userId: user, password: password ?? "" }),
      },
    });
    return socket;
  } catch (error) {
    own.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", end);
  }
}
