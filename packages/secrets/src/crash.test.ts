import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "@millwright/store/sqlite";
import { expect, test } from "vitest";
import { askerOf } from "../test/secrets-server.ts";
import { openSecrets } from "./secrets.ts";

test("after kill -9 under load everything acknowledged is there, sealed, and no secret is in the files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "secrets-crash-"));
  const path = join(folder, "secrets.db");
  try {
    const { unsealKey, rootToken } = await initialized(path);
    const acknowledged: { readonly name: string; readonly token: string }[] = [];
    for (const round of ["a", "b", "c"])
      acknowledged.push(...(await writeUntilKilled({ path, unsealKey, rootToken, round })));
    expect(acknowledged.length).toBeGreaterThan(20);
    const store = await openSqliteStore({ path });
    const secrets = await openSecrets({ store, version: "0.0.0" });
    const { ask, call } = askerOf(secrets, rootToken);
    expect((await ask("GET secret/data/crash/a-0-0")).status).toBe(503);
    await secrets.unseal(unsealKey);
    for (const { name, token } of acknowledged) {
      expect((await call(`GET secret/data/crash/${name}`)).json.data).toMatchObject({ data: { name } });
      expect((await ask("GET auth/token/lookup-self", undefined, { token })).status).toBe(200);
    }
    await secrets.close();
    await store.close();
    const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "latin1")));
    for (const text of ["crash/", "xxxxxxxx", "auth/token", rootToken, ...acknowledged.map(({ token }) => token)])
      expect(
        files.some((file) => file.includes(text)),
        text,
      ).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function initialized(path: string): Promise<{ readonly unsealKey: string; readonly rootToken: string }> {
  const store = await openSqliteStore({ path });
  const secrets = await openSecrets({ store, version: "0.0.0", devMounts: true });
  const { keys, rootToken } = await secrets.init({ shares: 1, threshold: 1 });
  await secrets.close();
  await store.close();
  return { unsealKey: keys[0]!, rootToken };
}

async function writeUntilKilled(round: {
  readonly path: string;
  readonly unsealKey: string;
  readonly rootToken: string;
  readonly round: string;
}) {
  const env = { STORE_FILE: round.path, UNSEAL_KEY: round.unsealKey, ROOT_TOKEN: round.rootToken, ROUND: round.round };
  const script = new URL("../test/crash-writer.ts", import.meta.url).pathname;
  const writer = spawn(process.execPath, [script], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  writer.stdout.setEncoding("utf8").on("data", (chunk) => (output += chunk));
  try {
    while (!output.includes("\n")) {
      if (writer.exitCode !== null) throw new Error(`the writer ended by itself with ${writer.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  } finally {
    writer.kill("SIGKILL");
    await once(writer, "close");
  }
  return output
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [, name = "", token = ""] = line.split(" ");
      return { name, token };
    });
}
