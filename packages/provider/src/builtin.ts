import type { Provider } from "./protocol.ts";

/**
 * A provider that is part of the program. It serves under a registry address at the version whose behaviour it has, and is
 * loaded when it is first needed.
 */
export interface BuiltinProvider {
  /** `registry.terraform.io/hashicorp/consul`. */
  readonly address: string;
  readonly version: string;
  /** A fresh instance, not configured. */
  load(): Promise<Provider>;
}
