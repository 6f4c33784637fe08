import { type AddressInfo, createServer } from "node:net";
import { systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { fastClock } from "../test/fast-clock.ts";
import { fakeDiscovery } from "../test/fake-discovery.ts";
import { runNode, until } from "../test/running-node.ts";

test("two hundred checks that stay as they are cost the server under five requests a minute", async () => {
  const factor = 30;
  const minutes = 3;
  const listener = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  await until("listening", () => listener.address());
  const { port } = listener.address() as AddressInfo;
  const server = await fakeDiscovery();
  const services = Array.from({ length: 200 }, (_, i) => ({
    name: `s${i}`,
    check: { tcp: `127.0.0.1:${port}`, interval: "20s" },
  }));
  const one = await runNode({ servers: [server.address], services, clock: fastClock(factor) });
  try {
    await one.node.ready();
    const isPassing = () => [...server.checks.values()].filter(({ Status }) => Status === "passing").length === 200;
    await until("all passing", isPassing, 10_000);
    const before = server.requests.length;
    await systemClock.sleep((minutes * 60_000) / factor);
    const own = server.countFrom(before);
    const ran = server.requests.length - before - own;
    expect(ran, "liveness was renewed meanwhile").toBeGreaterThan(10 * minutes);
    expect(own, "the minute's comparison was done").toBeGreaterThan(0);
    expect(own / minutes).toBeLessThan(5);
  } finally {
    await one.close();
    await server.stop();
    listener.close();
  }
}, 30_000);
