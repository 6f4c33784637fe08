import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConsulClient } from "./consul.ts";
import type { ConsulConfig } from "./consul-config.ts";
import { clientErrors } from "./errors.ts";

const file = (name: string) => fileURLToPath(new URL(`../testdata/tls/${name}`, import.meta.url));

describe("over TLS", () => {
  // The certificate is for server.dc1.consul, and the CA that signed it is nobody's but this test's.
  const server = createServer(
    {
      cert: readFileSync(file("server.pem")),
      key: readFileSync(file("server-key.pem")),
      ca: readFileSync(file("ca.pem")),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as typeof request.socket & { readonly authorized?: boolean };
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify(socket.authorized ? "known" : "unknown"));
    },
  );
  let address = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    address = `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const leader = async (config: Partial<ConsulConfig>) => {
    const client = new ConsulClient({ address: `https://${address}`, ...config });
    try {
      return await client.leader();
    } finally {
      await client.close();
    }
  };

  const trusted = { caFile: file("ca.pem"), tlsServerName: "server.dc1.consul" };

  test("a certificate is checked against the CA and the name", async () => {
    expect(await leader(trusted)).toBe("unknown");
    expect(await leader({ ...trusted, address, tls: true })).toBe("unknown");
  });

  test("a CA that is not known, or another name, is not trusted", async () => {
    for (const config of [{}, { caFile: file("ca.pem") }, { ...trusted, tlsServerName: "other.dc1.consul" }]) {
      await expect(leader(config)).rejects.toMatchObject({ kind: clientErrors.untrusted });
    }
    await expect(leader({})).rejects.toThrow(
      /is not trusted: .*Check the address's scheme, the CA certificate, and the server name/,
    );
  });

  test("the check may be switched off", async () => {
    expect(await leader({ tlsVerify: false })).toBe("unknown");
  });

  test("a client certificate is shown", async () => {
    expect(await leader({ ...trusted, certFile: file("server.pem"), keyFile: file("server-key.pem") })).toBe("known");
  });
});
