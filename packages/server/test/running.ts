import { ConsulClient } from "@millwright/clients/consul";
import { type RunningServer, type ServerConfig, startServer } from "../src/server.ts";

/** A server on a free port of this machine, with a client of it. */
export interface TestRunning {
  readonly server: RunningServer;
  readonly port: number;
  readonly url: string;
  readonly client: ConsulClient;
  close(): Promise<void>;
}

export async function startTestServer(config: ServerConfig = {}): Promise<TestRunning> {
  const server = await startServer({ http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }], ...config });
  const first = server.http[0];
  const port = first?.kind === "tcp" ? first.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const client = new ConsulClient({ address: url });
  return {
    server,
    port,
    url,
    client,
    close: async () => {
      await client.close();
      await server.close();
    },
  };
}
