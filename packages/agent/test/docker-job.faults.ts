import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DockerEngine, parseEngineAddress } from "../src/docker/engine.ts";
import { makeImageArchive } from "../src/docker/image-archive.ts";
import { canRunDockerEngine, shellFiles, startDockerEngine, type TestEngine } from "./docker-engine.ts";

/* The job of 2016 as it was written, on a server and an agent: its image comes from an object store that cannot be reached, for which
   the agent's configuration names a stand-in; one of its two tasks alone fetches it. */

const millwright = fileURLToPath(new URL("../../cli/bin/millwright", import.meta.url));
const job = fileURLToPath(new URL("../../jobs/testdata/incrementalism/myapp.job", import.meta.url));

/** What the image starts: says what it is, and is healthy. */
const program = `#!/bin/sh
case "$1" in
-mode=api) port=$NOMAD_PORT_api ;;
-mode=web) port=$NOMAD_PORT_web ;;
esac
mkdir -p /tmp/www
echo "$1" > /tmp/www/mode.txt
echo ok > /tmp/www/health.txt
echo "started with $1"
exec httpd -f -p "$port" -h /tmp/www
`;

describe.skipIf(!canRunDockerEngine)("the job of 2016 in containers", () => {
  let folder: string;
  let engine: TestEngine;
  let client: DockerEngine;
  let store: Server;
  let server: Started;
  let agent: Started;
  const asked: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "docker-job-"));
    engine = await startDockerEngine();
    client = new DockerEngine(parseEngineAddress(engine.endpoint)!);
    store = await serveImage(folder, asked);
    const token = `-join-token-file=${join(folder, "join-token")}`;
    server = await start(folder, "server", [
      "-dev",
      "-http-port=0",
      "-nomad-port=0",
      "-dns-port=-1",
      "-region=apac",
      token,
    ]);
    agent = await startAgent();
  });
  afterAll(async () => {
    await agent?.end("SIGTERM");
    await server?.end("SIGTERM");
    store?.closeAllConnections();
    store?.close();
    client?.close();
    await engine?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function startAgent(): Promise<Started> {
    const { port } = store.address() as AddressInfo;
    const config = join(folder, "agent.hcl");
    writeFileSync(
      config,
      `datacenter = "asia-east1"\nartifact {\n mirror { "https://s3.amazonaws.com/" = "http://127.0.0.1:${port}/" }\n}\n`,
    );
    const consul = /CONSUL_HTTP_ADDR=http:\/\/(\S+)/.exec(server.said())![1]!;
    return start(
      folder,
      "agent",
      [
        ...[`-join=${consul}`, `-join-token-file=${join(folder, "join-token")}`, `-data-dir=${join(folder, "agent")}`],
        ...[
          "-http-port=0",
          "-dns-port=-1",
          "-nomad-port=0",
          "-node=agent",
          `-nomad-servers=${nomad()}`,
          `-config=${config}`,
        ],
      ],
      { DOCKER_HOST: engine.endpoint },
    );
  }

  const nomad = () => /Nomad HTTP API\s+http:\/\/(\S+)/.exec(server.said())![1]!;
  const cli = async (...args: readonly string[]) => {
    const env = { ...environment(folder), NOMAD_ADDR: `http://${nomad()}` };
    const { stdout } = await promisify(execFile)(millwright, ["nomad", ...args], { cwd: folder, env });
    return stdout;
  };
  const api = async <T>(path: string): Promise<T> => (await fetch(`http://${nomad()}${path}`)).json() as Promise<T>;
  const containers = async () => {
    const list = await client.json<readonly { Names: readonly string[]; State: string }[]>({
      method: "GET",
      path: "/containers/json?all=true",
    });
    return list.map(({ Names, State }) => `${Names[0]!.slice(1).split("-")[0]} ${State}`).toSorted();
  };
  const allocation = async () => (await api<readonly Allocation[]>("/v1/job/myapp/allocations"))[0]!;

  test("it runs, both of its tasks from the image that one of them has fetched", async () => {
    await expect.poll(async () => (await api<readonly unknown[]>("/v1/nodes")).length, slow).toBe(1);
    await cli("run", "-detach", job);
    await expect.poll(async () => (await allocation()).DeploymentStatus?.Healthy, slow).toBe(true);
    expect(asked).toEqual(["/myorg/myapp.tar.gz"]);
    expect(await containers()).toEqual(["api running", "web running"]);
    const { ID, TaskStates } = await allocation();
    const told = Object.values(TaskStates).flatMap(({ Events }) => Events.map(({ DisplayMessage }) => DisplayMessage));
    expect(told.join("\n")).toContain("Loading the image myorg/myapp:latest from myapp.tar");
    expect(await cli("logs", ID, "web")).toBe("started with -mode=web\n");
  });

  test("an agent that is killed finds them again, with the end of one that ended meanwhile", async () => {
    const { ID } = await allocation();
    await agent.end("SIGKILL");
    await client.json({ method: "POST", path: `/containers/web-${ID}/kill?signal=KILL` });
    agent = await startAgent();
    await expect
      .poll(
        async () =>
          (await allocation()).TaskStates["web"]?.Events.map(
            ({ Type, DisplayMessage }) => `${Type}: ${DisplayMessage}`,
          ),
        slow,
      )
      .toContain("Terminated: Exit Code: 137");
    expect((await allocation()).TaskStates["api"]).toMatchObject({ State: "running", Restarts: 0 });
    expect(await containers()).toContain("api running");
  });

  test("when the job is stopped no container is left", async () => {
    await cli("stop", "-detach", "myapp");
    await expect.poll(containers, slow).toEqual([]);
    await expect.poll(async () => (await allocation()).ClientStatus, slow).toBe("complete");
  });
});

const slow = { timeout: 25_000, interval: 100 };

interface Allocation {
  readonly ID: string;
  readonly ClientStatus: string;
  readonly DeploymentStatus: { readonly Healthy: boolean | null } | null;
  readonly TaskStates: Readonly<
    Record<
      string,
      {
        readonly State: string;
        readonly Restarts: number;
        readonly Events: readonly { readonly Type: string; readonly DisplayMessage: string }[];
      }
    >
  >;
}

interface Started {
  said(): string;
  end(signal: NodeJS.Signals): Promise<void>;
}

async function start(
  folder: string,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Started> {
  const child = spawn(millwright, [command, ...args], {
    cwd: folder,
    env: { ...environment(folder), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
  while (!said.includes("Stop it with ^C.")) {
    if (child.exitCode !== null) throw new Error(`${command} ended:\n${said}`);
    await sleep(50);
  }
  return { said: () => said, end: (signal) => end(child, signal) };
}

// The launcher becomes the program, so that its pid is the program's.
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, "state") };
}

async function serveImage(folder: string, asked: string[]): Promise<Server> {
  const image = join(folder, "image");
  mkdirSync(image);
  await makeImageArchive({
    name: "myorg/myapp:latest",
    path: join(image, "myapp.tar"),
    files: { ...(await shellFiles()), "/sbin/start_myapp": { text: program, mode: 0o755 } },
  });
  execFileSync("tar", ["-C", image, "-czf", join(image, "myapp.tar.gz"), "myapp.tar"]);
  const bytes = readFileSync(join(image, "myapp.tar.gz"));
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(request.url === "/myorg/myapp.tar.gz" ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
