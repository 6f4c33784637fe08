import { objectFor } from "@millwright/provider/testing/objects";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { configureForTest } from "@millwright/provider/testing/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nomadProvider } from "./provider.ts";

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

let asked: Asked[];
let address: string;
const server = createServer((request, response) => {
  asked.push({ url: request.url ?? "", headers: request.headers });
  const isDenied = request.headers["x-nomad-token"] === "wrong";
  response.writeHead(isDenied ? 403 : 200, { "content-type": "application/json" });
  response.end(isDenied ? "Permission denied" : '["global"]');
});

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Reads the regions with a provider of these settings, and gives what is wrong with that. */
async function read(config: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const provider = nomadProvider(env).start();
  await configureForTest(provider, config);
  const { block } = (await provider.schema()).dataSources.get("nomad_regions")!;
  const { diagnostics } = await provider.readDataSource({ type: "nomad_regions", config: objectFor(block, {}) });
  await provider.close();
  return diagnostics;
}

describe("a request goes where, and with what,", () => {
  const env = () => ({ NOMAD_ADDR: address, NOMAD_TOKEN: "of-env", NOMAD_REGION: "of-env", NOMAD_NAMESPACE: "of-env" });

  test("the provider block says", async () => {
    const settings = { address, secret_id: "t", region: "eu", http_auth: "ann:pw" };
    await read(
      { ...settings, headers: [{ name: "X-Way", value: "1" }] },
      { ...env(), NOMAD_ADDR: "http://127.0.0.1:1" },
    );
    const basic = `Basic ${Buffer.from("ann:pw").toString("base64")}`;
    expect(asked).toMatchObject([
      { url: "/v1/regions?region=eu", headers: { "x-nomad-token": "t", authorization: basic, "x-way": "1" } },
    ]);
  });

  test("else the environment; its namespace is for commands, as each job says its own", async () => {
    await read({}, env());
    expect(asked).toMatchObject([{ url: "/v1/regions?region=of-env", headers: { "x-nomad-token": "of-env" } }]);
  });

  test("but for variables that are to be ignored", async () => {
    await read({ ignore_env_vars: { NOMAD_REGION: true, NOMAD_TOKEN: false } }, env());
    expect(asked).toMatchObject([{ url: "/v1/regions", headers: { "x-nomad-token": "of-env" } }]);
  });
});

describe("what goes wrong is told with what to do:", () => {
  test.each([
    {
      name: "the block's address",
      config: { address: "http://127.0.0.1:1" },
      env: {},
      want: "that of the provider block",
    },
    { name: "the environment's", config: {}, env: { NOMAD_ADDR: "http://127.0.0.1:1" }, want: "comes from NOMAD_ADDR" },
  ])("nobody answers at $name", async ({ config, env, want }) => {
    const [problem] = await read(config, env);
    expect(problem).toMatchObject({ summary: "Cannot reach Nomad at http://127.0.0.1:1" });
    expect(problem!.detail).toContain(want);
  });

  test("a token that is refused", async () => {
    expect(await read({ address, secret_id: "wrong" })).toMatchObject([{ summary: "Nomad refused the token" }]);
  });
});
