import { createServer, type Server, type Socket } from "node:net";
import { messageOf } from "@millwright/core/errors";
import type { Log } from "@millwright/core/ports";
import { framed } from "./recursors.ts";

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly respond: (message: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;
  readonly log: Log;
  /** How long a connection may say nothing; 10 s by default. */
  readonly idleMilliseconds?: number;
  /** Connections at a time; those above are closed at once. 1,000 by default. */
  readonly connections?: number;
}

export interface TcpListener {
  /** The port that was taken. */
  readonly port: number;
  /** Ends all connections too. */
  close(): Promise<void>;
}

/** Listens for connections with framed messages, several on each (RFC 7766). Rejects with the system's error. */
export async function listenTcp(options: TcpOptions): Promise<TcpListener> {
  const { host, port, log, idleMilliseconds = 10_000, connections = 1_000 } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.setTimeout(idleMilliseconds, () => socket.destroy());
    socket.on("error", (error) => log.write("debug", "dns: tcp: a connection broke", { error: messageOf(error) }));
    socket.on("close", () => sockets.delete(socket));
    serve(socket, options.respond);
  });
  server.maxConnections = connections;
  await bind(server, host, port);
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound ? bound.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Questions of one connection that wait for their answers; its next ones are read when there are fewer. */
const mostWaiting = 100;

function serve(socket: Socket, respond: TcpOptions["respond"]): void {
  let pending = Buffer.alloc(0);
  let waiting = 0;
  const isFull = () => waiting >= mostWaiting || socket.writableNeedDrain;
  const send = (answer: Buffer | undefined) => {
    if (answer && !socket.destroyed) socket.write(framed(answer));
  };
  const resume = () => {
    if (isFull()) return;
    readAll();
    if (!isFull()) socket.resume();
  };
  const readAll = () => {
    while (!isFull() && pending.length >= 2) {
      const end = 2 + pending.readUInt16BE(0);
      if (pending.length < end) break;
      const message = pending.subarray(2, end);
      pending = pending.subarray(end);
      const answer = respond(message);
      if (!(answer instanceof Promise)) {
        send(answer);
        continue;
      }
      waiting++;
      void answer.then(send).finally(() => {
        waiting--;
        resume();
      });
    }
    if (isFull()) socket.pause();
  };
  socket.on("data", (piece) => {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    readAll();
  });
  socket.on("drain", resume);
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(":") }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
