import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfigFiles } from "./config-files.ts";
import { readSettings } from "./settings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function read(files: Readonly<Record<string, string>>) {
  await mkdir(join(folder, "d"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "d", name), text);
  const { value, diagnostics } = await readConfigFiles([], [join(folder, "d")]);
  const settings = readSettings(value);
  const said = [...diagnostics, ...settings.diagnostics].map(({ severity, summary }) => `${severity}: ${summary}`);
  return { settings: settings.value, said };
}

const hcl = `
node_name  = "web-1"
data_dir   = "/var/lib/agent"
retry_join = ["10.0.0.5:8500"]
ports {
  http = 8501
}
enable_local_script_checks = true
service {
  name = "web"
  port = 80
  weights {
    passing = 5
  }
  check {
    http     = "http://127.0.0.1/health"
    interval = "10s"
    header {
      X-Key = ["v"]
    }
  }
}
service {
  name = "db"
}
`;

const json = JSON.stringify({
  node_name: "web-1",
  data_dir: "/var/lib/agent",
  retry_join: ["10.0.0.5:8500"],
  ports: { http: 8501 },
  enable_local_script_checks: true,
  services: [
    {
      name: "web",
      port: 80,
      weights: { passing: 5 },
      checks: [{ http: "http://127.0.0.1/health", interval: "10s", header: { "X-Key": ["v"] } }],
    },
    { name: "db" },
  ],
});

describe("configuration files", () => {
  test("say the same in HCL and in JSON", async () => {
    const fromHcl = await read({ "a.hcl": hcl });
    await rm(join(folder, "d"), { recursive: true });
    const fromJson = await read({ "a.json": json });
    expect(fromHcl).toEqual(fromJson);
    expect(fromHcl.said).toEqual([]);
    expect(fromHcl.settings).toMatchObject({
      nodeName: "web-1",
      httpPort: 8501,
      scriptChecks: "local",
      servers: ["10.0.0.5:8500"],
      services: [{ name: "web", checks: [{ interval: "10s", header: { "X-Key": ["v"] } }] }, { name: "db" }],
    });
  });

  test("are read in the order of their names: a later one wins, and lists are joined", async () => {
    const { settings } = await read({
      "b.json": '{"node_name":"b","service":{"name":"two"}}',
      "a.json": '{"node_name":"a","service":{"name":"one"}}',
      "c.txt": "no configuration",
    });
    expect(settings.nodeName).toBe("b");
    expect(settings.services).toEqual([{ name: "one" }, { name: "two" }]);
  });

  test("say how DNS answers, over several files", async () => {
    const { settings, said } = await read({
      "a.hcl": 'alt_domain = "example.org"\ndns_config {\n  node_ttl = "3s"\n  service_ttl {\n    "*" = "7s"\n  }\n}\n',
      "b.json": '{"dns_config":{"only_passing":true,"a_record_limit":1}}',
    });
    expect(settings.dns).toEqual({
      altDomain: "example.org",
      ttl: { node: 3, service: { "*": 7 } },
      onlyPassing: true,
    });
    expect(said).toEqual(["warning: dns_config.a_record_limit changes nothing"]);
  });

  const aclForms: { name: string; file: [string, string] }[] = [
    {
      name: "JSON",
      file: [
        "a.json",
        '{"acl":{"enabled":true,"default_policy":"deny","tokens":{"initial_management":"t","agent":"a"}},"encrypt":"k"}',
      ],
    },
    {
      name: "HCL, with the token's name of before Consul 1.11",
      file: [
        "a.hcl",
        'acl {\n  enabled = true\n  default_policy = "deny"\n  tokens {\n    master = "t"\n  }\n}\nencrypt = "k"\n',
      ],
    },
  ];
  test.each(aclForms)("say a server's access control in $name", async ({ file: [name, text] }) => {
    const { settings, said } = await read({ [name]: text });
    expect(settings.acl).toEqual({ isEnabled: true, defaultPolicy: "deny", managementToken: "t" });
    expect(settings.hasGossipKey).toBe(true);
    expect(said).toEqual([]);
  });

  test("give each protocol addresses of its own, and may be empty or name nothing", async () => {
    const { settings, said } = await read({
      "a.json":
        '{"addresses":{"http":"unix:///run/consul.sock 127.0.0.1","dns":"127.0.0.2"},"segments":null,"acl":{"tokens":{}}}',
      "b.json": "",
      "c.json": '{"addresses":{}, "node_id":"ADF4238A-882B-9DDC-4A9D-5B6758E4159E"}',
    });
    expect(settings).toMatchObject({
      httpAddresses: ["unix:///run/consul.sock", "127.0.0.1"],
      dnsAddresses: ["127.0.0.2"],
      nodeId: "adf4238a-882b-9ddc-4a9d-5b6758e4159e",
      acl: {},
    });
    expect(said).toEqual([]);
  });

  const faults: { name: string; file: [string, string]; want: RegExp }[] = [
    { name: "that are no JSON", file: ["a.json", "{"], want: /^error: .*a\.json is not JSON/ },
    { name: "that are no HCL", file: ["a.hcl", "a = ["], want: /^error: / },
    {
      name: "with a setting of another type",
      file: ["a.json", '{"data_dir":1}'],
      want: /^error: data_dir cannot be 1$/,
    },
    {
      name: "with a setting nobody knows",
      file: ["a.json", '{"node_nam":"x"}'],
      want: /^warning: There is no setting node_nam$/,
    },
    {
      name: "with settings without effect",
      file: ["a.json", '{"telemetry":{},"raft_protocol":3}'],
      want: /^warning: Without effect here: telemetry, raft_protocol$/,
    },
    {
      name: "with a node ID that is no UUID",
      file: ["a.json", '{"node_id":"one"}'],
      want: /^error: node_id cannot be "one"$/,
    },
    {
      name: "with an access control of another form, which may hold a token,",
      file: ["a.json", '{"acl":{"enabled":"yes","tokens":{"master":"secret"}}}'],
      want: /^error: acl cannot be what it is$/,
    },
  ];
  test.each(faults)("$name are said so", async ({ file: [name, text], want }) => {
    expect((await read({ [name]: text })).said).toEqual([expect.stringMatching(want)]);
  });

  test("that are not there are refused", async () => {
    await expect(readConfigFiles([join(folder, "none.hcl")], [])).rejects.toThrow(
      /Cannot read the configuration .*none\.hcl/,
    );
  });
});
