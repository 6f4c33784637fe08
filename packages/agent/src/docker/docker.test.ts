import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "@millwright/jobs/shape";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { canRunDockerEngine, makeShellImage, startDockerEngine, type TestEngine } from "../../test/docker-engine.ts";
import { type RegistryOptions, startRegistry } from "../../test/image-registry.ts";
import { finishedOutputOf, openTaskBench, outputOf, type TaskBench } from "../../test/task-bench.ts";
import type { TaskDriver, TaskHandle, TaskLaunch } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import { dockerDriver } from "./docker-driver.ts";
import { DockerEngine, parseEngineAddress } from "./engine.ts";

describe.skipIf(!canRunDockerEngine)("with a real engine", () => {
  let engine: TestEngine;
  let client: DockerEngine;
  let bench: TaskBench;
  let driver: TaskDriver;
  let archive: string;

  beforeAll(async () => {
    engine = await startDockerEngine();
    client = new DockerEngine(parseEngineAddress(engine.endpoint)!);
    bench = await openTaskBench();
    driver = dockerDriver({ endpoint: engine.endpoint });
    archive = await makeShellImage(engine.folder);
  });
  afterAll(async () => {
    await bench.close();
    client.close();
    await engine.close();
  });

  const killed = { exitCode: 137, lost: "" };
  const sh = (line: string): Record<string, Json> => ({ command: "/bin/sh", args: ["-c", line], network_mode: "none" });

  /** A launch with the image's archive in its local/, and what it said on the way. */
  async function launchOf(config: Record<string, Json>, more: Partial<TaskLaunch> = {}) {
    const launch = await bench.launch({ image: "shell:1", load: "shell.tar", ...config });
    copyFileSync(archive, join(launch.folders.local, "shell.tar"));
    const said: string[] = [];
    return { launch: { ...launch, progress: (text: string) => said.push(text), ...more }, said };
  }

  async function started(config: Record<string, Json>, more: Partial<TaskLaunch> = {}) {
    const { launch, said } = await launchOf(config, more);
    const handle = await driver.start(launch);
    onTestFinished(() => handle.destroy());
    return { launch, handle, said };
  }

  const inspect = (handle: TaskHandle) =>
    client.json<Record<string, Record<string, unknown>>>({
      method: "GET",
      path: `/containers/${String(handle.saved["container"])}/json`,
    });

  const refusalOf = async (config: Record<string, Json>) => {
    const { launch } = await launchOf(config);
    return driver.start(launch).then(
      () => undefined,
      (error: unknown) => error,
    );
  };

  test("the engine's version is told", async () => {
    const found = await driver.fingerprint();
    expect(found).toMatchObject({ detected: true, healthy: true });
    expect(found.attributes["driver.docker.version"]).toMatch(/^\d+\./);
  });

  describe("images", () => {
    test("one comes from an archive in local/, once, and is used from then on", async () => {
      const first = await started(sh("exit 3"));
      expect(first.said[0]).toMatch(/^Loading the image shell:1 from shell\.tar \([\d.]+ MB\)$/);
      expect(await first.handle.ended).toMatchObject({ exitCode: 3 });
      expect((await started(sh("exit 0"))).said).toEqual([]);
    });

    test("one without a tag, of which one task of the group alone has the archive", async () => {
      const path = await makeShellImage(engine.folder, "myorg/myapp:latest");
      const config = { image: "myorg/myapp", load: ["myapp.tar"], ...sh("echo $0") };
      const api = await bench.launch(config);
      const said: string[] = [];
      const folders = { ...api.folders, task: `${api.folders.task}2`, local: `${api.folders.task}2/local` };
      const web = {
        ...api,
        task: "web",
        folders: { ...folders, secrets: api.folders.secrets },
        progress: (text: string) => said.push(text),
      };
      mkdirSync(folders.local, { recursive: true });
      const waiting = driver.start(web);
      await expect.poll(() => said).toEqual([expect.stringContaining("another task may load it")]);
      copyFileSync(path, join(api.folders.local, "myapp.tar"));
      const handles = await Promise.all([driver.start(api), waiting]);
      for (const handle of handles) expect(await handle.ended).toMatchObject({ exitCode: 0 });
      for (const handle of handles) await handle.destroy();
    });

    test("an archive that is not there, is none, or holds another image is refused", async () => {
      const missing = await refusalOf({ image: "other:1", load: "other.tar", ...sh("") });
      expect(missing).toMatchObject({
        kind: driverErrors.failed,
        message: expect.stringContaining("other.tar is not in the task's local/"),
      });
      const outside = await refusalOf({ image: "other:1", load: "../../../../../etc/passwd", ...sh("") });
      expect(outside).toMatchObject({
        kind: driverErrors.configuration,
        message: expect.stringContaining("is outside the task's local/"),
      });
      const other = await refusalOf({ image: "other:1", ...sh("") });
      expect(other).toMatchObject({ message: expect.stringContaining("does not hold the image other:1") });
      const { launch } = await launchOf({ image: "other:1", ...sh("") });
      writeFileSync(join(launch.folders.local, "shell.tar"), "no archive");
      await expect(driver.start(launch)).rejects.toThrow("The image archive shell.tar cannot be loaded");
    });

    async function registry(options: RegistryOptions = {}) {
      const running = await startRegistry(archive, options);
      onTestFinished(() => running.close());
      return running;
    }

    test("one is pulled once, however many tasks want it at once", async () => {
      const { host, pulls } = await registry({ delayMilliseconds: 300 });
      const tasks = await Promise.all(
        [1, 2, 3].map(() => started({ image: `${host}/shell:2`, load: "", ...sh("exit 0") })),
      );
      for (const { handle } of tasks) expect(await handle.ended).toMatchObject({ exitCode: 0 });
      expect(pulls()).toBe(1);
      await started({ image: `${host}/shell:2`, load: "", ...sh("exit 0") });
      expect(pulls()).toBe(1);
      await started({ image: `${host}/shell:2`, load: "", force_pull: true, ...sh("exit 0") });
      expect(pulls()).toBe(2);
    });

    test("a private one is pulled with the job's login, and refused without", async () => {
      const { host } = await registry({ login: { username: "u", password: "p" } });
      const config = { image: `${host}/private:1`, load: "", ...sh("exit 0") };
      expect(await refusalOf(config)).toMatchObject({
        message: expect.stringContaining(`cannot be pulled from ${host}`),
      });
      const { handle } = await started({ ...config, auth: [{ username: "u", password: "p" }] });
      expect(await handle.ended).toMatchObject({ exitCode: 0 });
    });

    test("one that the registry does not have is refused for good, a registry that does not answer for now", async () => {
      const { host } = await registry();
      expect(await refusalOf({ image: `${host}/missing:1`, load: "", ...sh("") })).toMatchObject({
        kind: driverErrors.configuration,
        message: expect.stringMatching(/The image .*\/missing:1 cannot be pulled .* Look at its name and tag/),
      });
      expect(await refusalOf({ image: "127.0.0.1:1/x:1", load: "", ...sh("") })).toMatchObject({
        kind: driverErrors.failed,
        message: expect.stringContaining("Look whether this node reaches the registry"),
      });
    });

    test("a pull of which nothing is heard ends", async () => {
      const { host } = await registry({ delayMilliseconds: 60_000 });
      const config = { image: `${host}/slow:1`, load: "", image_pull_timeout: "300ms", ...sh("") };
      expect(await refusalOf(config)).toMatchObject({
        message: expect.stringContaining("nothing was heard of it for"),
      });
    });

    test("a start that is called off ends the pull", async () => {
      const { host } = await registry({ delayMilliseconds: 60_000 });
      const controller = new AbortController();
      const { launch } = await launchOf(
        { image: `${host}/slow:2`, load: "", ...sh("") },
        { signal: controller.signal },
      );
      const starting = driver.start(launch);
      setTimeout(() => controller.abort(new Error("called off")), 200);
      await expect(starting).rejects.toThrow("called off");
    });

    test("where the registry does not answer, the latest one that is there is used", async () => {
      await client.json({ method: "POST", path: "/images/shell:1/tag?repo=127.0.0.1:1/redis&tag=latest" });
      const { handle, said } = await started({ image: "127.0.0.1:1/redis", load: "", ...sh("exit 0") });
      expect(await handle.ended).toMatchObject({ exitCode: 0 });
      expect(said.at(-1)).toContain("The image 127.0.0.1:1/redis:latest that is there is used");
    });
  });

  test("a task sees its folders, and what it writes there is on the node", async () => {
    const line = "cat /secrets/token; echo a > /alloc/data.txt; echo l > /local/l.txt; echo $PWD";
    const { launch } = await launchOf({ ...sh(line), work_dir: "/local" });
    writeFileSync(join(launch.folders.secrets, "token"), "t\n");
    const handle = await driver.start(launch);
    expect(await handle.ended).toMatchObject({ exitCode: 0 });
    expect(await finishedOutputOf(bench, launch)).toBe("t\n/local\n");
    expect(readFileSync(join(launch.folders.shared, "data.txt"), "utf8")).toBe("a\n");
    expect(existsSync(join(launch.folders.local, "l.txt"))).toBe(true);
    await handle.destroy();
  });

  test("options reach the container", async () => {
    const { handle, launch } = await started(
      {
        ...sh("id -u; cat /proc/sys/net/core/somaxconn; ls /dev/shm; echo $HOSTNAME; echo x > /x || echo readonly"),
        ...{ hostname: "box", readonly_rootfs: true, sysctl: [{ "net.core.somaxconn": "777" }], init: true },
        ...{
          extra_hosts: ["db:10.0.0.9"],
          dns_servers: ["10.0.0.53"],
          ulimit: [{ nofile: "64:64" }],
          shm_size: 1_048_576,
        },
        ...{ cap_drop: ["ALL"], pids_limit: 50, labels: [{ team: "a" }] },
      },
      { user: "1234" },
    );
    expect(await handle.ended).toMatchObject({ exitCode: 0 });
    expect(await finishedOutputOf(bench, launch)).toBe("1234\n777\nbox\nreadonly\n");
    const { Config, HostConfig, Name } = await inspect(handle);
    expect(Name).toBe(`/main-${launch.allocation}`);
    expect(Config!["Labels"]).toMatchObject({ "com.hashicorp.nomad.alloc_id": launch.allocation, team: "a" });
    expect(HostConfig).toMatchObject({
      ExtraHosts: ["db:10.0.0.9"],
      PidsLimit: 50,
      ShmSize: 1_048_576,
      CapDrop: ["ALL"],
    });
  });

  test("ports are published from the container's network to the node's address", async () => {
    const created = await client.json<{ Id: string }>({
      method: "POST",
      path: "/networks/create",
      body: { Name: "tasks" },
    });
    onTestFinished(() => client.json({ method: "DELETE", path: `/networks/${created.Id}` }));
    const value = 30_000 + (process.pid % 1_000);
    const ports = [{ label: "http", value, to: 0, hostAddress: "127.0.0.1" }];
    const serve = "mkdir -p /tmp/w; echo hello > /tmp/w/index.html; exec httpd -f -p $NOMAD_PORT_http -h /tmp/w";
    const { handle } = await started(
      {
        ...sh(serve),
        network_mode: "tasks",
        port_map: [{ http: 8080 }],
      },
      { ports },
    );
    await expect.poll(() => get(value), { timeout: 5_000 }).toContain("hello");
    const taken = await refusalOfLaunch({ ...sh("sleep 9"), network_mode: "tasks", port_map: [{ http: 8080 }] }, ports);
    expect(taken).toMatchObject({ message: expect.stringContaining("Stop what listens on that port") });
    await handle.stop({ signal: "SIGKILL", timeoutMilliseconds: 0 });
    await handle.destroy();
  });

  const refusalOfLaunch = async (config: Record<string, Json>, ports: TaskLaunch["ports"]) => {
    const { launch } = await launchOf(config, { ports });
    return driver.start(launch).catch((error: unknown) => error);
  };

  test("a command that the image does not have is the job's fault, and no container is left", async () => {
    const error = await refusalOf({ command: "/bin/nothing", network_mode: "none" });
    expect(error).toMatchObject({
      kind: driverErrors.configuration,
      message: expect.stringMatching(/The container does not start: .*\/bin\/nothing.* Look at the task's command/s),
    });
    const left = await client.json<readonly unknown[]>({
      method: "GET",
      path: `/containers/json?all=true&filters=${encodeURIComponent('{"status":["created"]}')}`,
    });
    expect(left).toEqual([]);
  });

  test("a task that takes more memory than it has is told to have been killed for it", async () => {
    const resources = { cpu: 100, cores: 0, memory: 16, memoryMax: 0 };
    const { handle } = await started(sh("x=$(yes | head -c 100000000); echo $x"), { resources });
    expect(await handle.ended).toMatchObject({ exitCode: 137, signal: 9, oomKilled: true });
  });

  test("a container of the same name that is left over is replaced", async () => {
    const { launch, handle } = await started(sh("sleep 1000"));
    const again = await driver.start(launch);
    expect(await handle.ended).toMatchObject(killed);
    expect(again.saved["container"]).not.toBe(handle.saved["container"]);
    await again.destroy();
  });

  test("a container that somebody removes is told to have been killed", async () => {
    const { handle } = await started(sh("sleep 1000"));
    await client.json({ method: "DELETE", path: `/containers/${String(handle.saved["container"])}?force=true` });
    expect(await handle.ended).toMatchObject(killed);
  });

  test("when the engine is started anew, its tasks' ends are told, and an agent that begins meanwhile finds them", async () => {
    const { handle, launch } = await started(sh("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"));
    await expect.poll(() => outputOf(launch)).toBe("ready\n");
    await engine.stop();
    const found = await driver.recover(handle.saved, launch);
    expect(await driver.fingerprint()).toMatchObject({ detected: false });
    await sleep(300);
    await engine.start();
    expect(await handle.ended).toMatchObject({ exitCode: 9, lost: "" });
    expect(await found?.ended).toMatchObject({ exitCode: 9, lost: "" });
    expect((await driver.fingerprint()).healthy).toBe(true);
  });

  test("none of 1 MB/s is lost or doubled, through an end of the log process and a change of its files", async () => {
    const line = `awk 'BEGIN { for (i = 0; i < 60000; i++) { print i, "${"x".repeat(90)}"; if (i % 1000 == 999) { fflush(); system("sleep 0.05") } } }'`;
    const { handle, launch } = await started(sh(line));
    await sleep(1_000);
    const before = await bench.logs.status();
    process.kill(before.pid, "SIGTERM");
    await expect.poll(async () => (await bench.logs.status()).pid, { timeout: 10_000 }).not.toBe(before.pid);
    expect(await handle.ended).toMatchObject({ exitCode: 0 });
    const lines = (await finishedOutputOf(bench, launch)).split("\n").slice(0, -1);
    expect(lines.length).toBe(60_000);
    expect(lines.findIndex((text, i) => !text.startsWith(`${i} x`))).toBe(-1);
  }, 30_000);
});

function get(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = createConnection(port, "127.0.0.1", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    socket.on("data", (piece) => {
      text += String(piece);
    });
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(text));
  });
}
