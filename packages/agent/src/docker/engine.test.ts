import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dockerDriver } from "./docker-driver.ts";
import { DockerEngine, EngineRefusal, parseEngineAddress } from "./engine.ts";

test.each([
  { text: "unix:///run/docker.sock", want: { kind: "socket", path: "/run/docker.sock" } },
  { text: "tcp://10.0.0.1:2375", want: { kind: "tcp", host: "10.0.0.1", port: 2375 } },
  { text: "ssh://host", want: undefined },
  { text: "/run/docker.sock", want: undefined },
])("an engine's address: $text", ({ text, want }) => {
  expect(parseEngineAddress(text)).toEqual(want);
});

test("where no engine runs, it is said what to install", async () => {
  const driver = dockerDriver({ endpoint: "unix:///nowhere/docker.sock" });
  expect(await driver.fingerprint()).toEqual({
    detected: false,
    healthy: false,
    description:
      "No container engine answers at /nowhere/docker.sock. Install one (on Debian: apt-get install docker.io) and start it, " +
      "or say where it is with DOCKER_HOST=unix:///path/to/docker.sock.",
    attributes: {},
  });
});

test("an address that is none is refused", () => {
  expect(() => dockerDriver({ env: { DOCKER_HOST: "ssh://host" } })).toThrow("cannot be ssh://host");
});

test("what an engine says no with is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const path = join(folder, "docker.sock");
  const server = createServer((_, response) => response.writeHead(409).end('{"message":"in use"}'));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
  const refused = new DockerEngine({ kind: "socket", path }).json({ method: "GET", path: "/x" });
  await expect(refused).rejects.toThrow("in use");
  await expect(refused).rejects.toBeInstanceOf(EngineRefusal);
  expect(await dockerDriver({ endpoint: `unix://${path}` }).fingerprint()).toMatchObject({
    detected: true,
    healthy: false,
  });
});
