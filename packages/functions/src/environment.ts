import type { Chance, Clock } from "@millwright/core/ports";
import type { Dialect } from "./dialect.ts";
import type { FilePort } from "./file-port.ts";

/** What functions know of the world they run in. */
export interface Environment {
  readonly dialect: Dialect;
  readonly files: FilePort;
  /** The folder that relative paths in `file` and its like start from: the one of the root module. May be relative itself. */
  readonly baseDir: string;
  readonly clock: Pick<Clock, "now">;
  readonly chance: Pick<Chance, "bytes" | "uuid">;
  /** When the plan was made, in milliseconds since 1970; without it `plantimestamp` is unknown. */
  readonly planTimestamp?: number;
  /**
   * Whether `timestamp`, `uuid` and `bcrypt`, which give something else at each call, are called `now` or are unknown
   * until `later` (while planning: the apply is to give the values that the plan showed).
   */
  readonly impure: "now" | "later";
  /** `console` has `type`, and no `plantimestamp`. */
  readonly use: "configuration" | "console";
}
