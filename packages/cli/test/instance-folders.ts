import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestFolder } from "./folder.ts";
import type { CommandOutcome } from "./kv-io.ts";

/** Two templates, the second with an input that is an output of the first. */
export const templates = {
  "network/main.tf": `variable "region" { type = string }
resource "terraform_data" "vpc" { input = "vpc-\${var.region}" }
output "vpc_id" { value = terraform_data.vpc.id }
output "name" { value = terraform_data.vpc.input }
`,
  "app/main.tf": `variable "vpc_id" { type = string }
variable "color" { default = "none" }
resource "terraform_data" "app" { input = "\${var.color} in \${var.vpc_id}" }
output "url" { value = "http://\${terraform_data.app.id}" }
`,
};

/** A list of three instances of them in TypeScript. */
export const inTypeScript = {
  ...templates,
  "prod.instances.ts": `import { instance } from "millwright";
const network = instance("network", "./network", { region: "eu" });
for (const color of ["blue", "green"]) instance(\`app-\${color}\`, "./app", { vpc_id: network.vpc_id, color });
`,
};

/** Much the same list in HCL, with a variable and a local value. */
export const inHcl = {
  ...templates,
  "prod.instances.hcl": `variable "region" { default = "eu" }
locals { vpc = instance.network.vpc_id }
instance "network" {
  source = "./network"
  region = var.region
}
instance "app-blue" {
  source = "./app"
  vpc_id = local.vpc
  color  = "blue"
}
instance "app-green" {
  source = "./app"
  vpc_id = local.vpc
  color  = upper("green")
}
`,
};

/** All that a command wrote. */
export const said = ({ out, err }: CommandOutcome) => out + err;

/** What the state of an instance holds. */
export function objects(folder: TestFolder, instance: string): readonly string[] {
  const name = `.millwright/instances/${instance}/terraform.tfstate`;
  if (!existsSync(join(folder.path, name))) return [];
  const state = JSON.parse(folder.read(name)) as { resources: { type: string; name: string }[] };
  return state.resources.map(({ type, name: label }) => `${type}.${label}`);
}
