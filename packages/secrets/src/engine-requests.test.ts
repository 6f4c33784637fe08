import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { engineRequests } from "../test/engine-requests.ts";
import { askGolden, type GoldenAnswer, lacks } from "../test/golden-requests.ts";
import { startPostgres } from "../test/postgres-server.ts";
import { openTestServer } from "../test/secrets-server.ts";

const answersFile = new URL("../testdata/openbao-engine-answers.json", import.meta.url);

describe("what a real server's kv and database engines answer, ours do", async () => {
  const wanted = JSON.parse(await readFile(answersFile, "utf8")) as readonly GoldenAnswer[];
  const [server, postgres] = await Promise.all([openTestServer(), startPostgres()]);
  const known = { pg_address: `${postgres.host}:${postgres.port}`, pg_password: postgres.password };
  const ask = (line: string, body: unknown, options: Parameters<typeof server.ask>[2]) =>
    server.ask(line, body, options);
  const own = await askGolden(ask, server.rootToken, engineRequests, known);
  await server.close();
  await postgres.stop();

  test("the file has the requests of the list", () => {
    expect(wanted.map(({ line }) => line)).toEqual(engineRequests.map(({ line }) => line));
  });

  for (const [i, { line, differs }] of engineRequests.entries()) {
    test(`${i}: ${line}${differs === undefined ? "" : `, but ${differs}`}`, () => {
      const { status, body } = own[i]!;
      const missing = [
        ...(status === wanted[i]?.status ? [] : [`status ${status} instead of ${wanted[i]?.status}`]),
        ...lacks(body, wanted[i]?.body),
      ];
      if (differs === undefined) expect(missing).toEqual([]);
      else expect(missing).not.toEqual([]);
    });
  }
});
