import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeNetworkNamespace, type NetworkNamespace } from "./support/network-namespace.ts";

const front = fileURLToPath(new URL("support/dns-front.ts", import.meta.url));

/* The system's own resolver, with nothing but our DNS front to ask. */
describe("in a network whose resolver is ours", () => {
  let network: NetworkNamespace;
  let server: ChildProcess;

  beforeAll(async () => {
    network = await makeNetworkNamespace();
    const args = [front, "53", "vault=127.0.0.1:8200", "web=10.1.2.3:80"];
    server = network.spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(server.stdout!, "data");
  });
  afterAll(async () => {
    server?.kill();
    await network?.close();
  });

  test("getent finds a service", async () => {
    const { status, stdout } = await network.run("getent", ["hosts", "vault.service.consul"]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^127\.0\.0\.1 +vault\.service\.consul\n$/),
    });
    const { stdout: all } = await network.run("getent", ["ahosts", "web.service.consul"]);
    expect(all).toMatch(/^10\.1\.2\.3 +STREAM/);
  });

  test("getent does not find what is not there, and does not wait for it", async () => {
    const began = performance.now();
    for (const name of ["nope.service.consul", "www.example.com"])
      expect((await network.run("getent", ["hosts", name])).status).toBe(2);
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  test("a program connects by name", async () => {
    const script = `
      const http = require("node:http");
      const server = http.createServer((request, response) => response.end("here: " + request.headers.host));
      server.listen(8200, "127.0.0.1", async () => {
        console.log(await (await fetch("http://vault.service.consul:8200/")).text());
        process.exit(0);
      });`;
    const { stdout, stderr } = await network.run(process.execPath, ["-e", script]);
    expect({ stdout, stderr }).toEqual({ stdout: "here: vault.service.consul:8200\n", stderr: "" });
  });

  test("nothing else is reachable from there", async () => {
    const script = `require("node:net").connect(53, "192.0.2.1").on("error", (error) => console.log(error.code))`;
    expect((await network.run(process.execPath, ["-e", script])).stdout).toBe("ENETUNREACH\n");
  });
});
