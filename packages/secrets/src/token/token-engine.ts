import { Bug } from "@millwright/core/errors";
import type { EngineType } from "../engine.ts";
import type { PolicyStore } from "../policy/policy-store.ts";
import type { Tokens } from "./tokens.ts";

export interface TokenEngineParts {
  readonly tokens: Tokens;
  readonly policies: PolicyStore;
}

/** The auth method `token`, which is always mounted at `auth/token/`. */
export function tokenEngine(_parts: TokenEngineParts): EngineType {
  throw new Bug("the token engine is being built");
}
