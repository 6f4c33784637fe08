import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askGolden } from "../test/golden-requests.ts";
import { findRealServer, startRealServer } from "../test/openbao.ts";

const program = findRealServer();
const answersFile = new URL("../testdata/openbao-answers.json", import.meta.url);

test.skipIf(!program)("a real server answers the golden requests as the file says", async () => {
  const home = await mkdtemp(join(tmpdir(), "secrets-conformance-"));
  const server = await startRealServer(program ?? "", home);
  try {
    const answers = await askGolden(async (line, body, { token, headers }) => {
      const [method = "", path = ""] = line.split(" ");
      const reply = await fetch(`${server.url}/v1/${path}`, {
        method,
        headers: { ...(token === "" ? {} : { "x-vault-token": token }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: reply.status, text: await reply.text() };
    }, server.rootToken);
    if (process.env["UPDATE"]) await writeFile(answersFile, `${JSON.stringify(answers, null, 1)}\n`);
    expect(answers).toEqual(JSON.parse(await readFile(answersFile, "utf8")));
  } finally {
    await server.close();
    await rm(home, { recursive: true });
  }
});
