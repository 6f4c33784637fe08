import type { BuiltinProvider } from "@millwright/provider/builtin";

/**
 * The providers that are part of the program, at the versions whose behaviour they have. Each is loaded when it is first
 * used, so that a start pays for none of them.
 */
export const builtinProviders: readonly BuiltinProvider[] = [
  {
    address: "terraform.io/builtin/terraform",
    version: "1.11.4",
    load: async () => (await import("./terraform/provider.ts")).terraformProvider().start(),
  },
  {
    address: "registry.terraform.io/hashicorp/consul",
    version: "2.21.0",
    load: async () => (await import("./consul/provider.ts")).consulProvider().start(),
  },
  {
    address: "registry.terraform.io/hashicorp/local",
    version: "2.5.3",
    load: async () => (await import("./local/provider.ts")).localProvider.start(),
  },
  {
    address: "registry.terraform.io/hashicorp/nomad",
    version: "2.6.1",
    load: async () => (await import("./nomad/provider.ts")).nomadProvider().start(),
  },
  {
    address: "registry.terraform.io/hashicorp/random",
    version: "3.7.2",
    load: async () => (await import("./random/provider.ts")).randomProvider().start(),
  },
  {
    address: "registry.terraform.io/hashicorp/vault",
    version: "5.0.0",
    load: async () => (await import("./vault/provider.ts")).vaultProvider().start(),
  },
];
