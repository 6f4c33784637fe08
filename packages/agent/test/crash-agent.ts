// An agent over the data folder given as argument, for tests that kill it: prints its port, then runs until it is killed.
import { startAgent } from "../src/agent.ts";

const [folder = "", joinToken = "", ...servers] = process.argv.slice(2);
const agent = await startAgent({
  dataFolder: folder,
  servers,
  joinToken: async () => joinToken,
  nodeName: "crash",
  http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
  dns: [],
});
const [address] = agent.http;
console.log(address?.kind === "tcp" ? address.port : 0);
