import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Outcome, root } from "./support/commands.ts";
import { makeNetworkNamespace } from "./support/network-namespace.ts";

const script = fileURLToPath(new URL("support/read-by-name.ts", import.meta.url));

/* The talk's line `VAULT_ADDR=http://vault.service.consul vault read …`, where the system's resolver asks our agent. */
test("a login is read from a secrets server that is found by its name, with the port of its SRV record", async () => {
  const folder = mkdtempSync(join(tmpdir(), "by-name-"));
  const network = await makeNetworkNamespace();
  try {
    const args = [script, join(root, "packages/cli/bin/millwright"), folder];
    const { status, stdout, stderr } = await network.run(process.execPath, args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining("Error") });
    const { byName, byPort } = JSON.parse(stdout) as { readonly byName: Outcome; readonly byPort: Outcome };
    expect(byName).toMatchObject({ code: 0, err: "" });
    expect(byName.out).toMatch(/^lease_id +postgresql\/creds\/readonly\//m);
    expect(byPort).toMatchObject({ code: 0, err: "" });
  } finally {
    await network.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
