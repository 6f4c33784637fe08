import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server that a test can cut: what is under way breaks off, and nobody answers any more. */
export interface Cuttable {
  readonly address: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function cuttable(to: string): Promise<Cuttable> {
  const [host = "", port = ""] = to.split(":");
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    sockets.add(near);
    near.on("error", () => undefined).on("close", () => sockets.delete(near));
    // As where packets get lost: the connection comes about nowhere, and nothing is answered.
    if (isCut) return;
    const far = connect(Number(port), host);
    sockets.add(far);
    far.on("error", () => near.destroy()).on("close", () => (sockets.delete(far), near.destroy()));
    near.on("close", () => far.destroy());
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = () => sockets.forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      drop();
    },
    mend: () => {
      isCut = false;
      drop();
    },
    close: async () => {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
