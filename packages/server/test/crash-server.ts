// A server over the data folder given as argument, for tests that kill it: prints its port, then serves until it is killed.
import { startServer } from "../src/server.ts";

const server = await startServer({
  http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
  store: { kind: "sqlite", dataFolder: process.argv[2] ?? "" },
});
const [address] = server.http;
console.log(address?.kind === "tcp" ? address.port : 0);
