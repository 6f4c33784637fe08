import { Bug } from "@millwright/core/errors";
import type { EngineType } from "../engine.ts";

/** Logins of databases, made when they are asked for and taken back at the end of their lease. */
export function databaseEngine(): EngineType {
  throw new Bug("the database engine is being built");
}
