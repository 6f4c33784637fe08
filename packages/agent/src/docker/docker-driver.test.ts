import { createReadStream } from "node:fs";
import { text } from "node:stream/consumers";
import { canRunDockerEngine, type TestEngine, makeShellImage, startDockerEngine } from "../../test/docker-engine.ts";
import { describe } from "vitest";
import { type DriverUnderTest, testDriver } from "../../test/driver-suite.ts";
import { dockerDriver } from "./docker-driver.ts";
import { DockerEngine, parseEngineAddress } from "./engine.ts";

async function loadShell(at: TestEngine): Promise<void> {
  const client = new DockerEngine(parseEngineAddress(at.endpoint)!);
  const path = await makeShellImage(at.folder);
  await text(await client.stream({ method: "POST", path: "/images/load", bytes: createReadStream(path) }));
  client.close();
}

async function openDriver(): Promise<DriverUnderTest> {
  const engine = await startDockerEngine();
  await loadShell(engine);
  return {
    driver: dockerDriver({ endpoint: engine.endpoint }),
    shell: (line) => ({ image: "shell:1", network_mode: "none", command: "/bin/sh", args: ["-c", line] }),
    close: () => engine.close(),
    isFirstProcess: true,
  };
}

describe.skipIf(!canRunDockerEngine)("with a real engine", () => testDriver("docker", openDriver));
