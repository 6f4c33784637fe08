// Writes secrets and makes tokens until it is killed, and tells each once it was acknowledged, on a line of its own.
import { writeSync } from "node:fs";
import { openSqliteStore } from "@millwright/store/sqlite";
import { openSecrets } from "../src/secrets.ts";
import { askerOf } from "./secrets-server.ts";

const {
  STORE_FILE: path = "",
  UNSEAL_KEY: unsealKey = "",
  ROOT_TOKEN: rootToken = "",
  ROUND: round = "",
} = process.env;
const secrets = await openSecrets({ store: await openSqliteStore({ path }), version: "0.0.0" });
await secrets.unseal(unsealKey);
const { call } = askerOf(secrets, rootToken);

async function write(worker: number): Promise<never> {
  for (let i = 0; ; i++) {
    const name = `${round}-${worker}-${i}`;
    await call(`PUT secret/data/crash/${name}`, { data: { name, filler: "x".repeat(500) } });
    const { auth } = (await call("POST auth/token/create", { ttl: "1h" })).json;
    say(`acknowledged ${name} ${auth?.client_token}`);
  }
}

// At once, so that no line is lost with the process. A pipe that is full for now is tried again.
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

await Promise.all([0, 1, 2, 3].map(write));
