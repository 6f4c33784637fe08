import { existsSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "./programs.ts";

/** Providers as their developers build them: `MILLWRIGHT_GO_PROVIDERS` names a folder of `terraform-provider-NAME`. */
const folder = process.env.MILLWRIGHT_GO_PROVIDERS ?? "";
/** A filesystem mirror, as `terraform providers mirror` makes one. */
const mirror = process.env.MILLWRIGHT_PROVIDER_MIRROR ?? "";

export const terraform = onPath("terraform");

export function hasProvider(name: string): boolean {
  return existsSync(join(folder, `terraform-provider-${name}`));
}

export function hasMirrored(source: string): boolean {
  return existsSync(join(mirror, "registry.terraform.io", source));
}

/** Settings by which both tools take a provider from where it was found. */
export function settingsFor(name: string): string {
  return hasProvider(name)
    ? `provider_installation {\n  dev_overrides {\n    "hashicorp/${name}" = "${folder}"\n  }\n  direct {}\n}\n`
    : `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`;
}
