import { Bug } from "@millwright/core/errors";
import type { EngineType } from "../engine.ts";

/** The database engine for PostgreSQL alone, as it was in 2016. */
export function postgresqlEngine(): EngineType {
  throw new Bug("the postgresql engine is being built");
}
