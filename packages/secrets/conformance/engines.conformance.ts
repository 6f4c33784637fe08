import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineRequests } from "../test/engine-requests.ts";
import { askGolden } from "../test/golden-requests.ts";
import { findRealServer, startRealServer } from "../test/openbao.ts";
import { startPostgres } from "../test/postgres-server.ts";

const program = findRealServer();
const answersFile = new URL("../testdata/openbao-engine-answers.json", import.meta.url);

test.skipIf(!program)("a real server answers the requests of engines as the file says", async () => {
  const home = await mkdtemp(join(tmpdir(), "secrets-conformance-"));
  const [server, postgres] = await Promise.all([startRealServer(program ?? "", home), startPostgres()]);
  try {
    const ask = async (
      line: string,
      body: unknown,
      options: { token: string; headers: Readonly<Record<string, string>> },
    ) => {
      const [method = "", path = ""] = line.split(" ");
      const headers = { ...(options.token === "" ? {} : { "x-vault-token": options.token }), ...options.headers };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await fetch(`${server.url}/v1/${path}`, { method, headers, ...sent });
      return { status: reply.status, text: await reply.text() };
    };
    const known = { pg_address: `${postgres.host}:${postgres.port}`, pg_password: postgres.password };
    const answers = await askGolden(ask, server.rootToken, engineRequests, known);
    if (process.env["UPDATE"]) await writeFile(answersFile, `${JSON.stringify(answers, null, 1)}\n`);
    expect(answers).toEqual(JSON.parse(await readFile(answersFile, "utf8")));
  } finally {
    await Promise.all([server.close(), postgres.stop()]);
    await rm(home, { recursive: true });
  }
});
