import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A loopback relay in front of a server, whose connection can be made to fail. */
export interface TcpProxy {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Breaks all connections and takes no new ones that last. */
  cut(): void;
  /** Passes on what clients send, and breaks the connection instead of passing on what comes back. */
  loseAnswers(): void;
  /** Relays again. */
  heal(): void;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: "relay" | "cut" | "loseAnswers" = "relay";
  const server = createServer((client) => {
    if (mode === "cut") return client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(socket);
      const end = () => {
        sockets.delete(socket);
        other.destroy();
      };
      socket.on("error", end).on("close", end);
    }
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      if (mode === "relay") client.write(chunk);
      else client.destroy();
    });
    return undefined;
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    cut: () => {
      mode = "cut";
      breakAll();
    },
    loseAnswers: () => {
      mode = "loseAnswers";
    },
    heal: () => {
      mode = "relay";
    },
    close: async () => {
      server.close();
      breakAll();
      await once(server, "close");
    },
  };
}
