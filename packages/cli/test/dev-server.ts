import { invariant } from "@millwright/core/errors";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Process } from "./process.ts";

/** `millwright server -dev` as a process of its own, on free ports. */
export interface DevServer {
  /** `http://127.0.0.1:PORT` of Consul's HTTP API. */
  readonly address: string;
  /** `http://127.0.0.1:PORT` of Vault's HTTP API. */
  readonly vault: string;
  /** `127.0.0.1:PORT` */
  readonly dns: string;
  readonly rootToken: string;
  stop(): Promise<void>;
}

/** Starts one; `args` are further flags. */
export async function startDevServer(args: readonly string[] = []): Promise<DevServer> {
  const state = mkdtempSync(join(tmpdir(), "millwright-state-"));
  const server = Process.start(["server", "-dev", "-http-port=0", "-log-level=error", ...args], {
    cwd: tmpdir(),
    env: { XDG_STATE_HOME: state },
  });
  await server.until(() => server.out.includes("Stop it with ^C."));
  const find = (pattern: RegExp) => pattern.exec(server.out)?.[1];
  const address = find(/Consul HTTP API +(\S+)/);
  invariant(address, `the server starts: ${server.err}`);
  const tokenFile = find(/VAULT_TOKEN=\$\(cat (\S+)\)/);
  return {
    address,
    vault: find(/Vault HTTP API +(\S+)/) ?? "",
    dns: find(/DNS +(\S+)/) ?? "",
    rootToken: tokenFile === undefined ? "" : readFileSync(tokenFile, "utf8").trim(),
    stop: async () => {
      server.signal("SIGTERM");
      await server.ended;
      rmSync(state, { recursive: true, force: true });
    },
  };
}
