import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { VaultClient } from "./vault.ts";
import { vaultConfigFromEnv } from "./vault-config.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function serving(status: number, answer: string): Promise<{ client: VaultClient; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const { method = "", url = "", headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, { "content-type": "application/json" }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new VaultClient({ address: `http://127.0.0.1:${port}`, token: "hvs.t0ken" }, { attempts: 1 });
  cleanups.push(
    () => void server.close(),
    () => client.close(),
  );
  return { client, seen };
}

const credential = JSON.stringify({
  request_id: "r1",
  lease_id: "postgresql/creds/readonly/0b6d",
  renewable: true,
  lease_duration: 3600,
  data: { username: "v-u", password: "s3cret", big: 12345678901234567890n.toString() },
  wrap_info: null,
  warnings: null,
  auth: null,
});

describe("a request", () => {
  const cases: readonly {
    readonly name: string;
    readonly call: (client: VaultClient) => Promise<unknown>;
    readonly want: Partial<Seen>;
  }[] = [
    {
      name: "reads with the token and the mark of a client",
      call: (client) => client.read("/secret/data/my app"),
      want: { method: "GET", url: "/v1/secret/data/my%20app" },
    },
    {
      name: "asks for a version",
      call: (client) => client.read("secret/data/a", { query: { version: "2" } }),
      want: { method: "GET", url: "/v1/secret/data/a?version=2" },
    },
    { name: "lists", call: (client) => client.list("secret/"), want: { method: "GET", url: "/v1/secret/?list=true" } },
    {
      name: "writes whole numbers as they are",
      call: (client) => client.write("secret/a", { n: 12345678901234567890n }),
      want: { method: "PUT", body: '{"n":12345678901234567890}' },
    },
    {
      name: "renews by id",
      call: (client) => client.renewLease("a/b", 60),
      want: { method: "PUT", url: "/v1/sys/leases/renew", body: '{"lease_id":"a/b","increment":60}' },
    },
    {
      name: "waits for the end of a lease",
      call: (client) => client.revokeLease("a/b"),
      want: { method: "PUT", url: "/v1/sys/leases/revoke", body: '{"lease_id":"a/b","sync":true}' },
    },
  ];
  test.each(cases)("$name", async ({ call, want }) => {
    const { client, seen } = await serving(200, credential);
    await call(client);
    expect(seen[0]).toMatchObject(want);
    expect(seen[0]!.headers).toMatchObject({ "x-vault-token": "hvs.t0ken", "x-vault-request": "true" });
  });
});

test("an answer becomes data with its lease", async () => {
  const { client } = await serving(200, credential);
  expect(await client.read("postgresql/creds/readonly")).toMatchObject({
    requestId: "r1",
    leaseId: "postgresql/creds/readonly/0b6d",
    leaseDuration: 3600,
    renewable: true,
    data: { username: "v-u", password: "s3cret" },
    warnings: [],
  });
});

test("nothing at a path is no error, and a deleted version is told", async () => {
  expect(await (await serving(404, '{"errors":[]}')).client.read("secret/none")).toBeUndefined();
  expect(await (await serving(404, '{"errors":[]}')).client.list("secret/none")).toBeUndefined();
  const deleted = '{"data":{"data":null,"metadata":{"version":1,"deletion_time":"2026-01-01T00:00:00Z"}}}';
  expect(await (await serving(404, deleted)).client.read("secret/data/a")).toMatchObject({ data: { data: null } });
});

describe("a refusal", () => {
  const cases = [
    {
      name: "of permission says what to check",
      status: 403,
      body: '{"errors":["permission denied"]}',
      want: "VAULT_TOKEN",
    },
    {
      name: "of a sealed server says to unseal it",
      status: 503,
      body: '{"errors":["Vault is sealed"]}',
      want: "operator unseal",
    },
    {
      name: "names the path",
      status: 400,
      body: '{"errors":["no such role"]}',
      want: "/v1/a/b answered 400:\n  * no such role",
    },
  ];
  test.each(cases)("$name", async ({ status, body, want }) => {
    const { client } = await serving(status, body);
    const error = await client.write("a/b", { password: "s3cret" }).catch((thrown: Error) => thrown);
    expect(String(error)).toContain(want);
    expect(String(error)).not.toMatch(/s3cret|t0ken/);
  });

  test("does not repeat what an answer held", async () => {
    const { client } = await serving(200, "s3cret and no JSON");
    const error = await client.read("a/b").catch((thrown: Error) => thrown);
    expect(String(error)).toContain("not JSON");
    expect(String(error)).not.toContain("s3cret");
  });
});

describe("the configuration of the environment", () => {
  test("takes the address, the token and the times that Vault's client takes", () => {
    const env = { VAULT_ADDR: "https://v:1", VAULT_TOKEN: "t", VAULT_SKIP_VERIFY: "1", VAULT_CLIENT_TIMEOUT: "5" };
    const want = { address: "https://v:1", token: "t", tlsVerify: false, timeoutMilliseconds: 5000 };
    expect(vaultConfigFromEnv(env)).toEqual(want);
  });

  test("takes the token of the last login where no variable gives one", () => {
    const home = mkdtempSync(join(tmpdir(), "vault-home-"));
    cleanups.push(() => rmSync(home, { recursive: true }));
    writeFileSync(join(home, ".vault-token"), "from-file\n");
    expect(vaultConfigFromEnv({ HOME: home })).toMatchObject({ token: "from-file", address: "http://127.0.0.1:8200" });
  });

  test("refuses a time that is none", () => {
    expect(() => vaultConfigFromEnv({ VAULT_CLIENT_TIMEOUT: "soon" })).toThrow("VAULT_CLIENT_TIMEOUT");
  });
});
