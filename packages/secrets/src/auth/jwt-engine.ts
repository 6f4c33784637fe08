import { Bug } from "@millwright/core/errors";
import type { EngineType } from "../engine.ts";

/** The auth method `jwt`: trades a signed token of another issuer for one of this server's. */
export function jwtEngine(): EngineType {
  throw new Bug("the JWT login is being built");
}
