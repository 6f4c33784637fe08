import { createSocket, type Socket } from "node:dgram";
import { type LookupOneOptions, lookup } from "node:dns";
import { isIP, isIPv6 } from "node:net";
import { messageOf } from "@millwright/core/errors";
import type { Log } from "@millwright/core/ports";

export type RespondToDatagram = (message: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  readonly respond: RespondToDatagram;
  readonly log: Log;
}

export interface UdpListener {
  close(): Promise<void>;
}

/** Listens for datagrams. Rejects with the system's error. */
export async function listenUdp({ host, port, respond, log }: UdpOptions): Promise<UdpListener> {
  const isSix = isIPv6(host);
  const socket = createSocket({
    type: isSix ? "udp6" : "udp4",
    ...(isSix ? { ipv6Only: true } : {}),
    recvBufferSize: receiveBytes,
    lookup: lookupAtOnce,
  });
  await bind(socket, host, port);
  let waiting = 0;
  let closed = false;
  const note = (error: unknown) => log.write("debug", "dns: udp: an answer was not sent", { error: messageOf(error) });
  socket.on("error", note);
  socket.on("message", (message, from) => {
    // Nobody can be answered at port 0; it is a forged sender.
    if (from.port === 0) return;
    const send = (answer: Buffer | undefined) => {
      if (answer && !closed) socket.send(answer, from.port, from.address, (error) => error && note(error));
    };
    const answer = respond(message);
    if (!(answer instanceof Promise)) return send(answer);
    // Beyond this many the client's own repetition is the better queue.
    if (waiting >= mostWaiting) return;
    waiting++;
    void answer.then(send).finally(() => waiting--);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        closed = true;
        socket.close(resolve);
      }),
  };
}

/** Room for bursts; the kernel may give less. */
const receiveBytes = 4 * 1024 * 1024;
const mostWaiting = 10_000;

function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve();
    });
  });
}

// Node looks up the address of each datagram that is sent, and takes a turn of the event loop for it, also where it is an
// address already.
function lookupAtOnce(
  host: string,
  options: LookupOneOptions,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(host);
  if (family !== 0) done(null, host, family);
  else lookup(host, options, done);
}
