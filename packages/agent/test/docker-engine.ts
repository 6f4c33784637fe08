import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImageRecipe, makeImageArchive } from "../src/docker/image-archive.ts";
import { programFiles } from "../src/docker/program-files.ts";

/** A Docker engine of a test's own: its images, containers and socket are in a folder, and no network is touched. */
export interface TestEngine {
  readonly endpoint: string;
  readonly folder: string;
  /** Stops the engine and starts it again, as an upgrade does. */
  restart(): Promise<void>;
  /** Stops it, and leaves its socket without anybody behind it. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** An engine is root's alone. */
export const canRunDockerEngine = process.getuid?.() === 0;

/** Needs root, `dockerd` and cgroups that may be written. */
export async function startDockerEngine(): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), "dockerd-"));
  const endpoint = `unix://${folder}/docker.sock`;
  // The machine's own settings are not read.
  writeFileSync(join(folder, "config.json"), "{}");
  let daemon: ChildProcess | undefined;
  const start = async () => {
    const log = openSync(join(folder, "log"), "a");
    const args = [
      ...["--data-root", `${folder}/data`, "--exec-root", `${folder}/exec`, "--pidfile", `${folder}/pid`],
      ...["--host", endpoint, "--iptables=false", "--ip6tables=false", "--bridge=none"],
      ...["--config-file", join(folder, "config.json")],
    ];
    daemon = spawn("dockerd", args, {
      stdio: ["ignore", log, log],
      env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
    });
    const ended = new Promise<never>((_, reject) => {
      daemon?.once("error", reject);
      daemon?.once("exit", (code) =>
        reject(new Error(`dockerd ended with ${code}:\n${lastLines(join(folder, "log"))}`)),
      );
    });
    ended.catch(() => undefined);
    await Promise.race([answering(`${folder}/docker.sock`), ended]);
  };
  const stop = async () => {
    const stopped = daemon;
    daemon = undefined;
    if (!stopped || stopped.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      stopped.once("exit", () => resolve());
      stopped.kill("SIGTERM");
    });
  };
  await start();
  return {
    endpoint,
    folder,
    restart: async () => {
      await stop();
      await start();
    },
    stop,
    start,
    close: async () => {
      await stop();
      await removeFolder(folder);
    },
  };
}

// What containers had mounted is let go of a moment after their end; an engine that was in a hurry leaves some of it.
async function removeFolder(folder: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (tries === 20) throw error;
      const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
      const points = mounts.map((line) => line.split(" ")[4] ?? "").filter((point) => point.startsWith(`${folder}/`));
      if (tries > 5) for (const point of points) spawnSync("umount", ["-l", point]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A shell and the usual commands in `/bin`, from the machine's own busybox. */
export async function shellFiles(): Promise<ImageRecipe["files"]> {
  const names = "sh sleep env echo cat kill setsid dd yes ls id head seq httpd true awk mkdir".split(" ");
  const links = Object.fromEntries(names.map((name) => [`/bin/${name}`, { link: "busybox" }]));
  return { ...(await programFiles("/bin/busybox", "/bin/busybox")), ...links, "/tmp": { folder: true, mode: 0o1777 } };
}

/** An archive of an image with a shell. */
export async function makeShellImage(folder: string, name = "shell:1"): Promise<string> {
  const path = join(folder, `${name.replaceAll(/[:/]/g, "-")}.tar`);
  return makeImageArchive({ name, path, files: await shellFiles() });
}

async function answering(socketPath: string): Promise<void> {
  for (;;) {
    const isThere = existsSync(socketPath) && (await ping(socketPath));
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request({ socketPath, path: "/_ping", agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking.on("error", () => resolve(false));
    asking.end();
  });
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trim().split("\n").slice(-5).join("\n");
}
