import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind } from "@millwright/core/errors";
import { afterAll, describe, expect, test } from "vitest";
import { type ConsulConfig, consulConfigFromEnv, consulTarget, consulToken } from "./consul-config.ts";
import { clientErrors } from "./errors.ts";

const folder = mkdtempSync(join(tmpdir(), "millwright-consul-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("the environment", () => {
  const cases: { name: string; env: Record<string, string>; want: ConsulConfig }[] = [
    { name: "empty", env: {}, want: { address: "127.0.0.1:8500" } },
    { name: "an empty address is none", env: { CONSUL_HTTP_ADDR: "" }, want: { address: "127.0.0.1:8500" } },
    {
      name: "everything",
      env: {
        CONSUL_HTTP_ADDR: "https://consul:8501",
        CONSUL_HTTP_TOKEN: "t",
        CONSUL_HTTP_TOKEN_FILE: "/token",
        CONSUL_HTTP_AUTH: "u:p",
        CONSUL_HTTP_SSL: "true",
        CONSUL_HTTP_SSL_VERIFY: "false",
        CONSUL_CACERT: "/ca",
        CONSUL_CAPATH: "/cas",
        CONSUL_CLIENT_CERT: "/cert",
        CONSUL_CLIENT_KEY: "/key",
        CONSUL_TLS_SERVER_NAME: "name",
        CONSUL_NAMESPACE: "ns",
        CONSUL_PARTITION: "p",
      },
      want: {
        address: "https://consul:8501",
        token: "t",
        tokenFile: "/token",
        basicAuth: "u:p",
        tls: true,
        tlsVerify: false,
        caFile: "/ca",
        caPath: "/cas",
        certFile: "/cert",
        keyFile: "/key",
        tlsServerName: "name",
        namespace: "ns",
        partition: "p",
      },
    },
  ];
  test.each(cases)("$name", ({ env, want }) => expect(consulConfigFromEnv(env)).toEqual(want));

  test("a switch that is neither on nor off is refused by its name", () => {
    expect(() => consulConfigFromEnv({ CONSUL_HTTP_SSL: "maybe" })).toThrow(
      /CONSUL_HTTP_SSL is "maybe"; write true or false/,
    );
  });
});

describe("an address", () => {
  const tcp = (scheme: string, host: string, port: number, pathPrefix = "") => ({
    scheme,
    at: { host, port },
    pathPrefix,
  });
  const cases: { address: string; tls?: boolean; want: object }[] = [
    { address: "127.0.0.1:8500", want: tcp("http", "127.0.0.1", 8500) },
    { address: "localhost", want: tcp("http", "localhost", 80) },
    { address: "http://10.0.0.5:8500", want: tcp("http", "10.0.0.5", 8500) },
    { address: "https://consul.example", want: tcp("https", "consul.example", 443) },
    { address: "consul:8501", tls: true, want: tcp("https", "consul", 8501) },
    { address: "http://consul:8501", tls: true, want: tcp("https", "consul", 8501) },
    { address: "http://proxy:80/consul/", want: tcp("http", "proxy", 80, "/consul") },
    { address: "[::1]:8500", want: tcp("http", "::1", 8500) },
    {
      address: "unix:///var/run/consul.sock",
      want: { scheme: "http", at: { socketPath: "/var/run/consul.sock" }, pathPrefix: "" },
    },
  ];
  test.each(cases)("$address", ({ address, tls, want }) => {
    expect(consulTarget({ address, ...(tls === undefined ? {} : { tls }) })).toMatchObject(want);
  });

  test.each(["ftp://x", "http://", "a b:1", "host:99999", "://"])("%s is none", (address) => {
    const refusal = (() => {
      try {
        consulTarget({ address });
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    expect(isKind(refusal, clientErrors.badConfiguration)).toBe(true);
    expect(String(refusal)).toContain(`${JSON.stringify(address)} is no address of a server`);
  });
});

test("TLS settings are read from their files", () => {
  const target = consulTarget({
    address: "https://consul:8501",
    caFile: file("ca.pem", "CA"),
    certFile: file("cert.pem", "CERT"),
    keyFile: file("key.pem", "KEY"),
    tlsServerName: "server.dc1.consul",
    tlsVerify: false,
  });
  expect(target.tls).toEqual({ ca: ["CA"], cert: "CERT", key: "KEY", serverName: "server.dc1.consul", verify: false });
  expect(() => consulTarget({ address: "https://c", caFile: "/none" })).toThrow(
    /Cannot read the CA certificate \/none/,
  );
  expect(() => consulTarget({ address: "https://c", caPath: "/none" })).toThrow(
    /Cannot read the folder of CA certificates/,
  );
});

describe("the token", () => {
  test("a file wins over a token, unless it is empty", () => {
    expect(consulToken({ address: "x", token: "t", tokenFile: file("token", " from file\n") })).toBe("from file");
    expect(consulToken({ address: "x", token: "t", tokenFile: file("empty", "\n") })).toBe("t");
    expect(consulToken({ address: "x" })).toBeUndefined();
  });

  test("a file that cannot be read is an error", () => {
    expect(() => consulToken({ address: "x", tokenFile: "/none" })).toThrow(/Cannot read the token file \/none/);
  });
});
