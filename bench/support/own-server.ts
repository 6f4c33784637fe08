import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { StoreConfig } from "@millwright/server/server";
import type { LoopFigures } from "./loop-watch.ts";

export interface OwnServerOptions {
  readonly store: StoreConfig;
  readonly secretsStore?: StoreConfig;
  /** Whether it serves Vault's API too. */
  readonly vault?: boolean;
}

/** A server of ours in a process of its own. */
export interface OwnServer {
  readonly pid: number;
  readonly http: number;
  readonly vault: number;
  /** Of its event loop since the call before. */
  loop(): Promise<LoopFigures>;
  stop(): Promise<void>;
}

/** Starts a server on free loopback ports. `BENCH_NODE_FLAGS` are given to Node, as `--cpu-prof`. */
export async function startOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const script = fileURLToPath(new URL("server-process.ts", import.meta.url));
  const flags = (process.env.BENCH_NODE_FLAGS ?? "").split(" ").filter((flag) => flag !== "");
  const child = fork(script, [JSON.stringify(options)], { execArgv: flags });
  const [ports] = (await once(child, "message")) as [{ readonly http: number; readonly vault: number }];
  return {
    pid: child.pid ?? 0,
    ...ports,
    loop: async () => {
      child.send("figures");
      const [figures] = (await once(child, "message")) as [LoopFigures];
      return figures;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
