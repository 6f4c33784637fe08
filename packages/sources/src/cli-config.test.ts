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
    {
      name: "a mirror that is an OCI registry",
      text: 'provider_installation {\n oci_mirror {\n repository_template = "example.com/${namespace}/${type}"\n }\n}\n',
    },
    { name: "a call of a function that there is not", text: 'plugin_cache_dir = nothing("x")\n' },
  ])("with $name are refused", ({ text }) => {
    expect(parse(text).diagnostics.some(({ severity }) => severity === "error")).toBe(true);
  });

  test("take ${NAME} from the environment, in attributes of every kind", () => {
    const text = 'plugin_cache_dir = "${HOME}/cache"\ncredentials "a.example.com" {\n token = "${TOKEN}"\n}\n';
    const { value, diagnostics } = parse(text, { HOME: "/home/me", TOKEN: "t" });
    expect(diagnostics).toEqual([]);
    expect(value.pluginCache?.folder).toBe("/home/me/cache");
    expect(value.credentials.get("a.example.com")).toBe("t");
  });

  test("are in OpenTofu's folder of XDG_CONFIG_HOME, where the home folder has none", () => {
    const settings = 'credentials "a.example.com" {\n token = "own"\n}\n';
    const home = new TemporaryFolder({
      "config/opentofu/tofurc": settings,
      "config/opentofu/more.tfrc": settings.replace("a.", "b."),
      "full/.tofurc": settings.replace("a.", "c."),
      "full/.terraform.d/more.tfrc": settings.replace("a.", "d."),
    });
    try {
      const hosts = (HOME: string) => {
        const { value } = readCliConfig({ HOME, XDG_CONFIG_HOME: `${home.path}/config` }, home.path);
        return [...value.credentials.keys()].sort();
      };
      expect(hosts(`${home.path}/empty`)).toEqual(["a.example.com", "b.example.com"]);
      expect(hosts(`${home.path}/full`)).toEqual(["c.example.com", "d.example.com"]);
    } finally {
      home.remove();
    }
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
