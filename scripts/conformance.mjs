// Holds the program to tools that npm and Debian cannot bring: what is on the PATH is used, what is not is said.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ready, root, vitest } from "./bootstrap.mjs";

const node = ready();
const peers = [
  { name: "terraform", why: "expressions, formatting, plans and states are compared with it" },
  { name: "tofu", why: "OpenTofu: the same, and what it has that Terraform has not" },
  { name: "consul", why: "requests of the consul provider, and names over DNS, are compared with it" },
  { name: "bao", why: "OpenBao: requests of the secrets server are compared with it" },
  { name: "consul-template", why: "rendered files are compared with it" },
];
for (const { name, why } of peers) console.error(`${find(name) ? "found     " : "not found "} ${name}: ${why}`);
if (!process.env.MILLWRIGHT_GO_PROVIDERS)
  console.error(
    "not found MILLWRIGHT_GO_PROVIDERS (a folder of programs terraform-provider-NAME, as developers build them)",
  );
const mirror = process.env.MILLWRIGHT_PROVIDER_MIRROR ?? providerMirror();
if (mirror) process.env.MILLWRIGHT_PROVIDER_MIRROR = mirror;
const mirrored =
  "a filesystem mirror with the AWS provider; moto_server and aws beside it (MILLWRIGHT_PROVIDER_MIRROR)";
console.error(`${mirror ? "found     " : "not found "} ${mirrored}`);
if (!process.env.HCL_SPECSUITE)
  console.error("not found HCL_SPECSUITE (the folder of the published HCL specification suite)");
const args = ["--config", join(root, "vitest.conformance.config.ts"), ...process.argv.slice(2)];
process.exit(vitest(node, args));

function find(name) {
  return (process.env.PATH ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// Where people put mirrors: in the folders that Terraform looks into by itself, or in one of its own under these.
function providerMirror() {
  const shared = ["/opt", "/usr/share", "/usr/local/share", "/srv"];
  const folders = [
    join(homedir(), ".terraform.d", "plugins"),
    ...shared.map((base) => join(base, "terraform", "plugins")),
  ];
  for (const base of shared) if (existsSync(base)) for (const name of readdirSync(base)) folders.push(join(base, name));
  return folders.find((folder) => existsSync(join(folder, "registry.terraform.io", "hashicorp", "aws")));
}
