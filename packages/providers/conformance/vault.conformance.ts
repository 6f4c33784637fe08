import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRealServer, type RealServer, startRealServer } from "@millwright/secrets/openbao";
import type { Provider } from "@millwright/provider/protocol";
import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vaultProvider } from "../src/vault/provider.ts";
import { givenForLives, vaultLives } from "../test/vault-lives.ts";

const program = findRealServer();

describe.runIf(program)("with a real OpenBao or Vault", () => {
  let server: RealServer;
  let provider: Provider;
  const home = mkdtempSync(join(tmpdir(), "vault-conformance-"));

  beforeAll(async () => {
    server = await startRealServer(program!, home);
    provider = vaultProvider({ VAULT_ADDR: server.url, VAULT_TOKEN: server.rootToken }).start();
    await configureForTest(provider);
    for (const [line, body] of givenForLives) {
      const [method = "", path = ""] = line.split(" ");
      const headers = { "x-vault-token": server.rootToken };
      await fetch(`${server.url}/v1/${path}`, { method, headers, body: JSON.stringify(body) });
    }
  });
  afterAll(async () => {
    await provider.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  test.each(vaultLives)("$type keeps the provider contract", async (life) => {
    expect(await contractViolations(provider, life)).toEqual([]);
  });
});
