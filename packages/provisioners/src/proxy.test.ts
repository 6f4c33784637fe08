import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { throughProxy } from "./proxy.ts";

const cases = (["http", "socks5"] as const).flatMap((scheme) => [
  { scheme, name: "an interrupt", left: 60_000, interrupts: true, want: "interrupted" },
  { scheme, name: "the time that is left", left: 50, interrupts: false, want: "opened no way: no answer in time" },
]);

test.each(cases)("a $scheme proxy that says nothing is waited for until $name ends that", async (given) => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const stop = new AbortController();
  const { scheme, left } = given;
  const proxy = { scheme, host: "127.0.0.1", port };
  const opened = throughProxy(proxy, { host: "machine", port: 22 }, { left, signal: stop.signal });
  const refused = expect(opened).rejects.toThrow(given.want);
  const [socket] = await arrived;
  if (given.interrupts) stop.abort(new Error("interrupted"));
  await refused;
  // Its side of the connection is ended too: nothing keeps the program from its end.
  socket.resume();
  await once(socket, "close");
  server.close();
});
