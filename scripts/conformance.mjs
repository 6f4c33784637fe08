// Holds the program to tools that npm and Debian cannot bring: what is on the PATH is used, what is not is said.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { ready, root, vitest } from "./bootstrap.mjs";

const node = ready();
const peers = [
  { name: "terraform", why: "expressions, formatting, plans and states are compared with it" },
  { name: "consul", why: "requests of the consul provider, and names over DNS, are compared with it" },
  { name: "bao", why: "OpenBao: requests of the secrets server are compared with it" },
  { name: "consul-template", why: "rendered files are compared with it" },
];
for (const { name, why } of peers) console.error(`${find(name) ? "found     " : "not found "} ${name}: ${why}`);
if (!process.env.MILLWRIGHT_GO_PROVIDERS)
  console.error(
    "not found MILLWRIGHT_GO_PROVIDERS (a folder of programs terraform-provider-NAME, as developers build them)",
  );
if (!process.env.MILLWRIGHT_PROVIDER_MIRROR)
  console.error(
    "not found MILLWRIGHT_PROVIDER_MIRROR (a filesystem mirror with the AWS provider; moto_server and aws beside it)",
  );
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
