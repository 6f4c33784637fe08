import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfigFiles } from "../config-files.ts";
import { readNomadSettings, withNomadPort } from "./nomad-settings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nomad-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(...texts: readonly string[]) {
  const paths = texts.map((text, i) => join(folder, `${i}.${text.startsWith("{") ? "json" : "hcl"}`));
  for (const [i, path] of paths.entries()) await writeFile(path, texts[i] ?? "");
  const files = await readConfigFiles(paths, []);
  const { value, diagnostics } = readNomadSettings(files.value);
  return {
    value,
    said: [...files.diagnostics, ...diagnostics].map(({ severity, summary }) => `${severity}: ${summary}`),
  };
}

const of2016 = `
region     = "apac"
datacenter = "asia-east1"
name       = "agent-1"
data_dir   = "/var/lib/nomad"
bind_addr  = "0.0.0.0"
advertise { http = "10.0.0.7:4646" }
client {
  enabled = true
  servers = ["10.0.0.1:4647", "10.0.0.2"]
  node_class = "small"
  meta { rack = "r1" }
  options {
    "driver.raw_exec.enable" = "1"
    "driver.whitelist" = "raw_exec, docker"
  }
  reserved {
    cpu = 100
    reserved_ports = "22,80-90"
  }
  network_speed = 100
  artifact {
    http_read_timeout = "10m"
    decompression_size_limit = "2GB"
    decompression_file_count_limit = 20000
  }
}
vault {
  enabled = true
  address = "http://10.0.0.1:8200"
  jwt_auth_backend_path = "jwt-nomad/"
  create_from_role = "factory"
}
artifact {
  mirror { "https://storage.example" = "http://127.0.0.1:9" }
}
`;

describe("Nomad's agent configuration", () => {
  test("says who a node is, and how it runs jobs", async () => {
    const { value, said } = await read(of2016);
    expect(said).toEqual([]);
    expect(value).toEqual({
      isEnabled: true,
      nodeName: "agent-1",
      dataFolder: "/var/lib/nomad",
      bindAddress: "0.0.0.0",
      advertiseAddress: "10.0.0.7",
      client: {
        servers: ["10.0.0.1:4646", "10.0.0.2:4646"],
        region: "apac",
        datacenter: "asia-east1",
        nodeClass: "small",
        meta: { rack: "r1" },
        drivers: { rawExec: true, allowed: ["raw_exec", "docker"], docker: {} },
        reserved: { CPU: 100, ports: "22,80-90" },
        told: { mbits: 100 },
        vault: { address: "http://10.0.0.1:8200", mount: "jwt-nomad", defaultRole: "factory" },
        artifactLimits: { milliseconds: 600_000, unpackedBytes: 2_000_000_000, files: 20_000 },
        artifactMirrors: { "https://storage.example": "http://127.0.0.1:9" },
      },
    });
  });

  test("enables raw_exec by its plugin too, in HCL and JSON", async () => {
    for (const text of [
      'plugin "raw_exec" {\n config {\n enabled = true\n }\n}',
      '{"plugin":[{"raw_exec":[{"config":[{"enabled":true}]}]}]}',
      '{"plugin":{"raw_exec":{"config":{"enabled":true}}}}',
    ])
      expect((await read(text)).value.client.drivers, text).toEqual({ rawExec: true, docker: {} });
    expect((await read("")).value.client.drivers).toEqual({ docker: {} });
  });

  test("a later file wins, and blocks are joined", async () => {
    const { value } = await read(
      'client {\n node_class = "a"\n meta { x = "1" }\n}',
      'client {\n node_class = "b"\n meta { y = "2" }\n}',
    );
    expect(value.client).toMatchObject({ nodeClass: "b", meta: { x: "1", y: "2" } });
  });

  const mistakes = [
    { name: "a wrong type", input: 'ports { http = "many" }', want: "error: ports.http cannot be what it is" },
    { name: "a block that is none", input: 'client = "on"', want: "error: client cannot be what it is" },
    {
      name: "draining at the stop, which is not there",
      input: 'client {\n drain_on_shutdown {\n deadline = "1m"\n }\n}',
      want: "error: client.drain_on_shutdown cannot be what it is",
    },
    {
      name: "an unknown name",
      input: 'client { node_clas = "a" }',
      want: "warning: There is no setting client.node_clas",
    },
    { name: "what does not apply", input: "telemetry { x = 1 }", want: "warning: Without effect here: telemetry" },
  ];
  for (const { name, input, want } of mistakes)
    test(`${name} is said`, async () => expect((await read(input)).said).toEqual([want]));

  test("a secret in a mistake is not shown", async () => {
    const { value, said } = await read('consul { token = ["s3cret"] }');
    expect(JSON.stringify([value.client.consulToken, said])).not.toContain("s3cret");
  });
});

test("servers are asked at the port of the HTTP API, where none or that of the RPC is given", () => {
  const given = ["a", "a:4647", "a:9", "http://a", "[::1]:4647", "10.0.0.1"];
  expect(given.map(withNomadPort)).toEqual(["a:4646", "a:4646", "a:9", "http://a", "[::1]:4646", "10.0.0.1:4646"]);
});
