import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { askGolden, type GoldenAnswer, goldenRequests, lacks } from "../test/golden-requests.ts";
import { openTestServer } from "../test/secrets-server.ts";

const answersFile = new URL("../testdata/openbao-answers.json", import.meta.url);

describe("what a real server answers, ours does", async () => {
  const wanted = JSON.parse(await readFile(answersFile, "utf8")) as readonly GoldenAnswer[];
  const server = await openTestServer();
  const own = await askGolden((line, body, options) => server.ask(line, body, options), server.rootToken);
  await server.close();

  test("the file has the requests of the list", () => {
    expect(wanted.map(({ line }) => line)).toEqual(goldenRequests.map(({ line }) => line));
  });

  for (const [i, { line, as = "root", differs }] of goldenRequests.entries()) {
    test(`${i}: ${line} as ${as}${differs === undefined ? "" : `, but ${differs}`}`, () => {
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
