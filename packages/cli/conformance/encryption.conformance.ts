import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { TestFolder } from "../test/folder.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { freePort } from "./free-port.ts";
import { tofu } from "./real-tools.ts";

/* Encrypted states go between the real tofu and this program: what one has written, the other reads and goes on from. */

const main = (input: string) => `
resource "terraform_data" "a" {
  input = ${JSON.stringify(input)}
}
output "said" {
  value = terraform_data.a.output
}
`;

const passphrase = (name: string, further = "") => `
    key_provider "pbkdf2" "${name}" {
      passphrase = "a long passphrase for ${name}"
      iterations = 200000
      ${further}
    }
    method "aes_gcm" "${name}" {
      keys = key_provider.pbkdf2.${name}
    }`;

const keyScript = `
echo '{"magic":"OpenTofu-External-Key-Provider","version":1}'
read -r meta
key='MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE='
if [ "$meta" = null ]; then echo "{\\"keys\\":{\\"encryption_key\\":\\"$key\\"},\\"meta\\":{\\"external_data\\":{\\"n\\":1}}}"
else echo "{\\"keys\\":{\\"encryption_key\\":\\"$key\\",\\"decryption_key\\":\\"$key\\"},\\"meta\\":{\\"external_data\\":{\\"n\\":1}}}"; fi
`;

/** Turns round what it is given, whichever way: the shortest method that is none. */
const methodScript = `
const text = require("node:fs").readFileSync(0, "utf8");
const { payload } = JSON.parse(text);
console.log(JSON.stringify({ magic: "OpenTofu-External-Encryption-Method", version: 1 }));
console.log(JSON.stringify({ payload: Buffer.from(payload, "base64").reverse().toString("base64") }));
`;

const turning = JSON.stringify([process.execPath, "turn.cjs"]);
const cases = [
  { name: "by a passphrase", parts: passphrase("one"), method: "aes_gcm.one" },
  {
    name: "by a passphrase with a digest, a length and a salt of its own",
    parts: passphrase("one", 'hash_function = "sha256"\n      key_length = 16\n      salt_length = 20'),
    method: "aes_gcm.one",
  },
  {
    name: "by a key that is the passphrase of another",
    parts: `
    key_provider "external" "cmd" {
      command = ["sh", "key.sh"]
    }
    key_provider "pbkdf2" "chained" {
      chain = key_provider.external.cmd
    }
    method "aes_gcm" "chained" {
      keys = key_provider.pbkdf2.chained
    }`,
    method: "aes_gcm.chained",
  },
  {
    name: "under another name for its metadata, with data that is authenticated",
    parts: `
    key_provider "pbkdf2" "one" {
      passphrase = "a long passphrase for one"
      encrypted_metadata_alias = "elsewhere"
    }
    method "aes_gcm" "one" {
      keys = key_provider.pbkdf2.one
      aad  = [1, 2, 3]
    }`,
    method: "aes_gcm.one",
  },
  {
    name: "by the key of a command",
    parts: `
    key_provider "external" "cmd" {
      command = ["sh", "key.sh"]
    }
    method "aes_gcm" "cmd" {
      keys = key_provider.external.cmd
    }`,
    method: "aes_gcm.cmd",
  },
  {
    name: "by a command alone",
    parts: `
    method "external" "turn" {
      encrypt_command = ${turning}
      decrypt_command = ${turning}
    }`,
    method: "external.turn",
  },
  {
    name: "by a key of AWS KMS",
    needs: "moto_server",
    parts: `
    key_provider "aws_kms" "cloud" {
      kms_key_id                  = "alias/states"
      key_spec                    = "AES_256"
      region                      = "us-east-1"
      skip_credentials_validation = true
    }
    method "aes_gcm" "cloud" {
      keys = key_provider.aws_kms.cloud
    }`,
    method: "aes_gcm.cloud",
  },
  {
    name: "by a key of OpenBao's transit engine",
    needs: "bao",
    parts: `
    key_provider "openbao" "bao" {
      key_name = "states"
    }
    method "aes_gcm" "bao" {
      keys = key_provider.openbao.bao
    }`,
    method: "aes_gcm.bao",
  },
];

const children: ChildProcess[] = [];
const isThere = (program = "") => program === "" || spawnSync(program, ["--version"]).error === undefined;
const credentials = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s", BAO_TOKEN: "root" };
const servers = { AWS_ENDPOINT_URL_KMS: "", BAO_ADDR: "" };

async function start(program: string, args: readonly string[], port: number): Promise<string> {
  children.push(spawn(program, args, { stdio: "ignore" }));
  const address = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(address), { timeout: 60_000, interval: 200 });
  return address;
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: unknown): Promise<string> {
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  expect(answer.ok, url).toBe(true);
  return answer.text();
}

/** A KMS with a key, where there is a moto_server. */
async function startKms(): Promise<string> {
  const port = await freePort();
  const address = await start("moto_server", ["-H", "127.0.0.1", "-p", String(port)], port);
  const kms = (action: string, body: unknown) =>
    post(
      `${address}/`,
      {
        "x-amz-target": `TrentService.${action}`,
        authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request",
      },
      body,
    );
  const { KeyMetadata } = JSON.parse(await kms("CreateKey", {})) as {
    readonly KeyMetadata: { readonly KeyId: string };
  };
  await kms("CreateAlias", { AliasName: "alias/states", TargetKeyId: KeyMetadata.KeyId });
  return address;
}

/** An OpenBao with a transit engine and a key in it, where there is one. */
async function startBao(): Promise<string> {
  const port = await freePort();
  const args = [
    "server",
    "-dev",
    "-dev-root-token-id=root",
    "-dev-no-store-token",
    `-dev-listen-address=127.0.0.1:${port}`,
  ];
  const address = await start("bao", args, port);
  const token = { "x-vault-token": "root" };
  await post(`${address}/v1/sys/mounts/transit`, token, { type: "transit" });
  await post(`${address}/v1/transit/keys/states`, token, {});
  return address;
}

const encryption = (parts: string, state: string) => `
terraform {
  encryption {${parts}
    state {
      ${state}
    }
    remote_state_data_sources {
      default {
        ${state.replace("enforced = true", "")}
      }
    }
  }
}
`;

type Engine = (folder: TestFolder, ...args: readonly string[]) => Promise<CommandOutcome>;

const env = { MILLWRIGHT_HISTORY: "off", PATH: process.env.PATH ?? "", ...credentials };
const ours: Engine = (folder, ...args) => folder.run(args, { env: { ...env, ...servers } }, "tofu");
const theirs: Engine = async (folder, ...args) => tofu.run(folder.path, args, { ...credentials, ...servers });
const directions = [
  { name: "ours first", first: ours, second: theirs },
  { name: "theirs first", first: theirs, second: ours },
];

async function must(engine: Engine, folder: TestFolder, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await engine(folder, ...args);
  expect(code, `${args.join(" ")}\n${out}${err}`).toBe(0);
  return out;
}

function inFolder(files: Readonly<Record<string, string>>, play: (folder: TestFolder) => Promise<void>): Promise<void> {
  const folder = new TestFolder({ "key.sh": keyScript, "turn.cjs": methodScript, ...files });
  return play(folder).finally(() => folder.remove());
}

describe.runIf(tofu.found)("an encrypted state goes between the real tofu and ours", () => {
  beforeAll(async () => {
    if (isThere("moto_server")) servers.AWS_ENDPOINT_URL_KMS = await startKms();
    if (isThere("bao")) servers.BAO_ADDR = await startBao();
  });
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  describe.each(cases)("$name", ({ parts, method, needs }) => {
    const settings = encryption(parts, `method = method.${method}\n      enforced = true`);

    test.runIf(isThere(needs)).each(directions)("$name", ({ first, second }) =>
      inFolder({ "main.tf": main("one"), "encryption.tf": settings }, async (folder) => {
        await must(theirs, folder, "init");
        await must(first, folder, "apply", "-auto-approve");
        expect(folder.read("terraform.tfstate")).not.toContain("terraform_data");
        await must(second, folder, "plan", "-detailed-exitcode");
        writeFileSync(join(folder.path, "main.tf"), main("two"));
        await must(second, folder, "apply", "-auto-approve");
        expect(folder.read("terraform.tfstate.backup")).not.toContain("terraform_data");
        await must(first, folder, "plan", "-detailed-exitcode");
        expect(await must(first, folder, "output", "said")).toContain("two");
      }),
    );
  });

  test.each(directions)("a key that is given up is read by the other through fallback: $name", ({ first, second }) => {
    const both = `${passphrase("one")}${passphrase("two")}`;
    const taking = encryption(both, "method = method.aes_gcm.two\n fallback {\n method = method.aes_gcm.one\n }");
    const before = encryption(passphrase("one"), "method = method.aes_gcm.one");
    return inFolder({ "main.tf": main("one"), "encryption.tf": before }, async (folder) => {
      await must(theirs, folder, "init");
      await must(first, folder, "apply", "-auto-approve");
      folder.write({ "encryption.tf": taking, "main.tf": main("two") });
      await must(second, folder, "apply", "-auto-approve");
      folder.write({ "encryption.tf": encryption(passphrase("two"), "method = method.aes_gcm.two") });
      await must(first, folder, "plan", "-detailed-exitcode");
    });
  });

  test.each(directions)(
    "what one has encrypted, terraform_remote_state of the other reads: $name",
    ({ first, second }) => {
      const settings = encryption(passphrase("one"), "method = method.aes_gcm.one");
      const reading = `
data "terraform_remote_state" "other" {
  backend = "local"
  config = {
    path = "../terraform.tfstate"
  }
}
output "heard" {
  value = data.terraform_remote_state.other.outputs.said
}
`;
      return inFolder(
        {
          "main.tf": main("one"),
          "encryption.tf": settings,
          "reader/main.tf": reading,
          "reader/encryption.tf": settings,
        },
        async (folder) => {
          await must(theirs, folder, "init");
          await must(first, folder, "apply", "-auto-approve");
          await must(second, folder, "-chdir=reader", "init");
          await must(second, folder, "-chdir=reader", "apply", "-auto-approve");
          expect(await must(second, folder, "-chdir=reader", "output", "heard")).toContain("one");
        },
      );
    },
  );
});
