import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A real sshd of Debian's openssh-server on a free port, for the user that the tests run as. */
export interface SshServer {
  readonly port: number;
  readonly user: string;
  /** Of a key that may log in. */
  readonly privateKey: string;
  /** The server's own key, as it stands in known_hosts. */
  readonly hostKey: string;
  stop(): Promise<void>;
}

export async function startSshServer(): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), "millwright-sshd-"));
  const key = (name: string) => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    return {
      secret: readFileSync(join(folder, name), "utf8"),
      open: readFileSync(join(folder, `${name}.pub`), "utf8").trim(),
    };
  };
  const host = key("host");
  const client = key("client");
  writeFileSync(join(folder, "authorized"), `${client.open}\n`, { mode: 0o600 });
  // Where sshd gives up its rights; only root has it do so.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const port = await freePort();
  const config = join(folder, "config");
  writeFileSync(
    config,
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${join(folder, "host")}`,
      `AuthorizedKeysFile ${join(folder, "authorized")}`,
      `PidFile ${join(folder, "pid")}`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "AllowTcpForwarding yes",
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n"),
  );
  const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", config], { stdio: "ignore" });
  await listening(port, child);
  return {
    port,
    user: userInfo().username,
    privateKey: client.secret,
    hostKey: host.open,
    stop: async () => {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "close");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}`);
    const socket = connect(port, "127.0.0.1");
    const isOpen = await Promise.race([
      once(socket, "connect").then(
        () => true,
        () => false,
      ),
      pause(200, false),
    ]);
    socket.destroy();
    if (isOpen) return;
    await pause(25);
  }
  throw new Error("sshd does not listen");
}
