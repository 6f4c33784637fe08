import { join } from "node:path";
import { median, printTable, ratioText, timeText } from "./support/measure.ts";
import { inFolder, millwright, runProgram } from "./support/programs.ts";
import { hasMirrored, hasProvider, settingsFor, terraform } from "./support/provider-programs.ts";

// A plan that needs a provider's program and asks it for one thing: whole processes, so that most of it is the program's start,
// the handshake, and its schemas.
const asked: readonly { readonly name: string; readonly config: string }[] = [
  { name: "null", config: 'resource "null_resource" "one" {}\n' },
  { name: "time", config: 'resource "time_static" "one" {}\n' },
  { name: "tls", config: 'resource "tls_private_key" "one" {\n  algorithm = "ED25519"\n}\n' },
  { name: "vault", config: 'resource "vault_mount" "one" {\n  path = "a"\n  type = "kv"\n}\n' },
  {
    name: "aws",
    config: `provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

resource "aws_ssm_parameter" "one" {
  name  = "a"
  type  = "String"
  value = "b"
}
`,
  },
];

async function measure(program: string, name: string, config: string): Promise<number> {
  return inFolder({ "main.tf": config, "cli.tfrc": settingsFor(name) }, (folder) => {
    const env = { TF_CLI_CONFIG_FILE: join(folder, "cli.tfrc") };
    if (!hasProvider(name)) runProgram(program, ["init"], folder, env);
    const times = [1, 2, 3, 4, 5].map(() => {
      const start = performance.now();
      runProgram(program, ["plan"], folder, env);
      return performance.now() - start;
    });
    return median(times);
  });
}

const rows: string[][] = [];
for (const { name, config } of asked) {
  if (!hasProvider(name) && !hasMirrored(`hashicorp/${name}`)) {
    console.log(`not found: ${name} (MILLWRIGHT_GO_PROVIDERS, MILLWRIGHT_PROVIDER_MIRROR)`);
    continue;
  }
  const ours = await measure(millwright, name, config);
  const peer = terraform ? await measure(terraform, name, config) : undefined;
  rows.push([name, timeText(ours), peer ? timeText(peer) : "-", ratioText(ours, peer)]);
}
printTable(
  "provider-start: a plan of one resource",
  ["provider", "millwright", "terraform", "ours is faster by"],
  rows,
);
