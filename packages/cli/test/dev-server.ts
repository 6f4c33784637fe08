import { invariant } from "@millwright/core/errors";
import { tmpdir } from "node:os";
import { Process } from "./process.ts";

/** `millwright server -dev` as a process of its own, on a free port. */
export interface DevServer {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  stop(): Promise<void>;
}

export async function startDevServer(): Promise<DevServer> {
  const server = Process.start(["server", "-dev", "-http-port=0", "-log-level=error"], { cwd: tmpdir() });
  const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(server.out)?.[0];
  await server.until(() => address() !== undefined);
  const found = address();
  invariant(found, `the server starts: ${server.err}`);
  return {
    address: found,
    stop: async () => {
      server.signal("SIGTERM");
      await server.ended;
    },
  };
}
