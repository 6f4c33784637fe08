import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fakeServers } from "../test/fake-servers.ts";
import { caseKeys, templateCases } from "../test/template-cases.ts";

/*
 * What the real consul-template makes of the cases is what the golden file says, which our own is held to by its tests.
 * UPDATE=1 writes the golden file anew. Runs where a consul-template is on the PATH that is not ours.
 */

const version = spawnSync("consul-template", ["-version"], { encoding: "utf8" });
const isReal = version.status === 0 && !version.stdout.includes("Millwright");
const golden = new URL("../testdata/consul-template/rendered.json", import.meta.url);

test.runIf(isReal)("consul-template renders the cases as the golden file has them", async () => {
  const text = `${JSON.stringify(await rendered(), null, 2)}\n`;
  if (process.env.UPDATE === "1") writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, "utf8"));
});

async function rendered(): Promise<Readonly<Record<string, string>>> {
  const servers = await fakeServers();
  for (const [key, value] of Object.entries(caseKeys)) servers.putKey(key, value);
  const folder = mkdtempSync(join(tmpdir(), "consul-template-"));
  try {
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "included.txt"), "a file's text\n");
    const names = Object.keys(templateCases);
    for (const [i, name] of names.entries()) writeFileSync(join(folder, `${i}.ctmpl`), templateCases[name]!);
    const flags = names.map((_, i) => `-template=${i}.ctmpl:out/${i}`);
    const addresses = { CONSUL_HTTP_ADDR: servers.address, VAULT_ADDR: servers.address };
    await promisify(execFile)("consul-template", ["-once", ...flags], {
      cwd: folder,
      env: { ...process.env, ...addresses, VAULT_TOKEN: "t", CASE_VARIABLE: "v" },
    });
    const texts = names.map((name, i) => [name, readFileSync(join(folder, "out", String(i)), "utf8")] as const);
    return Object.fromEntries(texts);
  } finally {
    rmSync(folder, { recursive: true });
    await servers.close();
  }
}
