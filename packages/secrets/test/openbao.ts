import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

/** A real OpenBao or Vault in development mode, on a free port of the loopback. */
export interface RealServer {
  readonly url: string;
  readonly rootToken: string;
  close(): Promise<void>;
}

/** The program, if it is installed: `bao` or `vault` of the PATH. */
export function findRealServer(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders
    .flatMap((folder) => ["bao", "vault"].map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

export async function startRealServer(program: string, home: string): Promise<RealServer> {
  const port = await freePort();
  const rootToken = "root";
  const child = spawn(
    program,
    [
      "server",
      "-dev",
      `-dev-root-token-id=${rootToken}`,
      `-dev-listen-address=127.0.0.1:${port}`,
      "-dev-no-store-token",
    ],
    { stdio: "ignore", env: { ...process.env, HOME: home } },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 200; i++) {
    const isUp = await fetch(`${url}/v1/sys/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) return { url, rootToken, close: () => ended(child) };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ended(child);
  throw new Error(`${program} did not come up within 20 s`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
