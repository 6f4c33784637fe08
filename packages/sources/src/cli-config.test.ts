import { describe, expect, test } from "vitest";
import { parseCliConfig, readCliConfig } from "./cli-config.ts";
import { parseProviderSource } from "./provider-source.ts";
import { isAskedFor } from "./provider-pattern.ts";
import { TemporaryFolder } from "../test/temporary-folder.ts";

const parse = (text: string, env = {}) => parseCliConfig("settings", new TextEncoder().encode(text), env);

describe("a user's settings", () => {
  test("say where providers come from, which of them, and in which order", () => {
    const { value, diagnostics } = parse(
      `
      plugin_cache_dir = "$HOME/cache"
      disable_checkpoint = true
      provider_installation {
        dev_overrides {
          "acme/thing" = "/home/me/thing"
        }
        filesystem_mirror {
          path    = "/srv/mirror"
          include = ["example.com/*/*"]
        }
        network_mirror {
          url = "https://mirror.example.com/"
        }
        direct {
          exclude = ["example.com/*/*"]
        }
      }`,
      { HOME: "/home/me" },
    );
    expect(diagnostics).toEqual([]);
    expect(value.pluginCache).toEqual({ folder: "/home/me/cache", mayBreakLockFile: false });
    expect(value.disableCheckpoint).toBe(true);
    expect([...value.devOverrides]).toEqual([["registry.terraform.io/acme/thing", "/home/me/thing"]]);
    expect(value.installation?.map(({ kind }) => kind)).toEqual(["filesystem", "network", "direct"]);
    const asked = (text: string) =>
      value.installation?.filter((method) => isAskedFor(method, parseProviderSource(text)!)).map(({ kind }) => kind);
    expect(asked("example.com/a/b")).toEqual(["filesystem", "network"]);
    expect(asked("hashicorp/aws")).toEqual(["network", "direct"]);
  });

  test("hold tokens, services of hosts and a helper, in either syntax", () => {
    const native = parse(`
      credentials "app.example.com" { token = "t" }
      host "app.example.com" { services = { "modules.v1" = "https://m.example.com/" } }
      credentials_helper "vault" { args = ["--quiet"] }`);
    const json = parse(
      '{"credentials": {"app.example.com": {"token": "t"}}, "host": {"app.example.com": {"services": {"modules.v1": "https://m.example.com/"}}}, "credentials_helper": {"vault": {"args": ["--quiet"]}}}',
    );
    for (const { value, diagnostics } of [native, json]) {
      expect(diagnostics).toEqual([]);
      expect([...value.credentials]).toEqual([["app.example.com", "t"]]);
      expect([...value.hosts]).toEqual([["app.example.com", { "modules.v1": "https://m.example.com/" }]]);
      expect(value.credentialsHelper).toEqual({ name: "vault", args: ["--quiet"] });
    }
  });

  test.each([
    {
      name: "a network mirror without https",
      text: 'provider_installation {\n network_mirror {\n url = "http://x/"\n }\n}',
    },
    { name: "a method that there is not", text: "provider_installation {\n carrier_pigeon {}\n}" },
    { name: "a pattern that is none", text: 'provider_installation {\n direct {\n include = ["a/b/c/d"]\n }\n}' },
    { name: "half a block", text: "provider_installation {" },
  ])("with $name are refused", ({ text }) => {
    expect(parse(text).diagnostics.some(({ severity }) => severity === "error")).toBe(true);
  });

  test("are those of the file that the environment names, or of the home folder", () => {
    const home = new TemporaryFolder({
      ".terraformrc": 'credentials "a.example.com" {\n token = "own"\n}\n',
      ".terraform.d/more.tfrc": 'credentials "b.example.com" {\n token = "more"\n}\n',
      "named.tfrc": 'credentials "c.example.com" {\n token = "named"\n}\n',
    });
    try {
      const hosts = (env: Readonly<Record<string, string>>) =>
        [...readCliConfig({ HOME: home.path, ...env }, home.path).value.credentials.keys()].sort();
      expect(hosts({})).toEqual(["a.example.com", "b.example.com"]);
      expect(hosts({ TF_CLI_CONFIG_FILE: "named.tfrc" })).toEqual(["c.example.com"]);
      const missing = readCliConfig({ HOME: home.path, TF_CLI_CONFIG_FILE: "none" }, home.path);
      expect(missing.diagnostics.map(({ severity }) => severity)).toEqual(["warning"]);
    } finally {
      home.remove();
    }
  });
});
