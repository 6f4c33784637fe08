import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millwright/core/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetesBackend } from "./kubernetes.ts";
import { findAccess } from "./kubernetes-access.ts";
import { Settings } from "./settings.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-kube-"));
  const files = {
    one: `apiVersion: v1
kind: Config
current-context: first
clusters:
- {name: c, cluster: {server: "https://one.example.com:6443", certificate-authority: ca.pem, tls-server-name: kube}}
- {name: open, cluster: {server: "https://open.example.com", insecure-skip-tls-verify: true}}
contexts:
- {name: first, context: {cluster: c, user: keys}}
- {name: second, context: {cluster: open, user: program}}
users:
- {name: keys, user: {client-certificate-data: ${base64("CERT")}, client-key: key.pem}}
- {name: file, user: {tokenFile: token}}
- {name: basic, user: {username: u, password: p}}
- name: program
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      interactiveMode: Never
      command: ./login
      args: [a, b]
      env: [{name: WORD, value: secret}]
- {name: old, user: {auth-provider: {name: gcp}}}
`,
    two: `current-context: third
clusters: [{name: c, cluster: {server: "https://never.example.com"}}]
contexts: [{name: third, context: {cluster: c, user: keys}}]
`,
    bad: "users: [{token: secret}, {",
    "ca.pem": "AUTHORITY",
    "key.pem": "KEY",
    token: "from-file\n",
    "ca.crt": "POD AUTHORITY",
    login: `#!/bin/sh
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'"$WORD-$1-$2"'","expirationTimestamp":"2030-01-02T03:04:05Z"}}'
`,
    broken: "#!/bin/sh\necho no >&2\nexit 3\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o700 });
});
afterAll(() => rmSync(folder, { recursive: true }));

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

const access = (config: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) => {
  const around = { PATH: process.env["PATH"], ...env };
  const settings = new Settings(config, kubernetesBackend.environment, around);
  return findAccess(settings, { folder, env: around, clock: systemClock }, folder);
};

describe("the way to a cluster", () => {
  const cases: readonly {
    readonly name: string;
    readonly config?: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
    readonly want: unknown;
  }[] = [
    {
      name: "a context, with keys in it and beside it",
      config: { config_path: "one" },
      want: {
        server: "https://one.example.com:6443",
        tls: { verify: true, ca: ["AUTHORITY"], serverName: "kube", cert: "CERT", key: "KEY" },
      },
    },
    {
      name: "another context, whose program gives the token",
      config: { config_path: "one", config_context: "second" },
      want: {
        server: "https://open.example.com",
        tls: { verify: false },
        authorization: "Bearer secret-a-b",
        expires: Date.UTC(2030, 0, 2, 3, 4, 5),
      },
    },
    {
      name: "a user and a cluster by name, from the environment",
      env: { KUBE_CONFIG_PATH: "one", KUBE_CTX_AUTH_INFO: "file", KUBE_CTX_CLUSTER: "open" },
      want: { server: "https://open.example.com", tls: { verify: false }, authorization: "Bearer from-file" },
    },
    {
      name: "several files, of which the first that says a thing is right, and missing ones say nothing",
      config: { config_paths: ["none", "one", "two"], config_context: "third", config_context_auth_info: "basic" },
      want: {
        server: "https://one.example.com:6443",
        tls: { verify: true, ca: ["AUTHORITY"], serverName: "kube" },
        authorization: `Basic ${base64("u:p")}`,
      },
    },
    {
      name: "what the block says, over what files say",
      config: { config_path: "one", host: "two.example.com", token: "t", cluster_ca_certificate: "OTHER" },
      want: {
        server: "https://two.example.com",
        tls: { verify: true, ca: ["OTHER"], serverName: "kube", cert: "CERT", key: "KEY" },
        authorization: "Bearer t",
      },
    },
    {
      name: "a program that the block names",
      config: {
        host: "https://h",
        exec: {
          api_version: "client.authentication.k8s.io/v1",
          command: "./login",
          args: ["x"],
          env: { WORD: "w" },
        },
      },
      want: { server: "https://h", authorization: "Bearer w-x-", expires: Date.UTC(2030, 0, 2, 3, 4, 5) },
    },
    {
      name: "a pod's own account",
      config: { in_cluster_config: true },
      env: { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" },
      want: {
        server: "https://[fd00::1]:443",
        tls: { verify: true, ca: ["POD AUTHORITY"] },
        authorization: "Bearer from-file",
      },
    },
  ];
  test.each(cases)("is $name", async ({ config = {}, env, want }) => {
    expect(await access(config, env)).toMatchObject(want as object);
  });

  const wrong: readonly {
    readonly name: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly want: RegExp;
  }[] = [
    { name: "nothing says where it is", config: {}, want: /Set config_path to a kubeconfig file, host, or in_cluster/ },
    {
      name: "there is no such context",
      config: { config_path: "one", config_context: "x" },
      want: /no context "x" in .*one\. There are: first, second/,
    },
    {
      name: "its program fails",
      config: { host: "h", exec: { api_version: "v", command: "./broken" } },
      want: /\.\/broken, .*it ended with 3: no/,
    },
    {
      name: "its user logs in as nobody does any more",
      config: { config_path: "one", config_context_auth_info: "old" },
      want: /use exec/,
    },
    { name: "this is no pod", config: { in_cluster_config: true }, want: /KUBERNETES_SERVICE_PORT are not set/ },
    { name: "a file is no YAML", config: { config_path: "bad" }, want: /bad is no YAML/ },
  ];
  test.each(wrong)("is not known where $name", async ({ config, want }) => {
    await expect(access(config)).rejects.toThrow(want);
  });
});

describe("a block that says", () => {
  const cases: readonly { readonly config: Readonly<Record<string, unknown>>; readonly want: string }[] = [
    { config: {}, want: "secret_suffix is missing" },
    { config: { secret_suffix: "prod-1" }, want: "must not end with a hyphen and a number" },
    { config: { secret_suffix: "Prod" }, want: "not Prod" },
    { config: { secret_suffix: "a", proxy_url: "http://p" }, want: "proxy_url is not supported" },
    { config: { secret_suffix: "a", exec: { api_version: "v" } }, want: "command is missing in its block exec" },
  ];
  test.each(cases)("$config is refused", ({ config, want }) => {
    const found = kubernetesBackend.check(new Settings(config, {}, {}));
    expect(found).toEqual([expect.stringContaining(want)]);
  });
});

test("a kubeconfig file that is none is told of without what stands in it", async () => {
  await expect(access({ config_path: "bad" })).rejects.toThrow(/\/bad is no YAML: [^\n]*line 1[^\n]*$/);
  await expect(access({ config_path: "bad" })).rejects.not.toThrow("secret");
});
