import { assertNever } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { TemplateValue } from "@millwright/template/value";
import { followConsul } from "./follow-consul.ts";
import { followFile } from "./follow-file.ts";
import { followNames, followSecret } from "./follow-secret.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Servers } from "./servers.ts";
import type { Source } from "./source.ts";

export interface FollowSettings {
  readonly consulRetry: RetryPolicy;
  /** How long a blocking read may wait. */
  readonly blockMilliseconds: number;
  /** How far behind an answer may be; 0 asks the leader each time. */
  readonly maxStaleMilliseconds: number;
  readonly vaultRetry: RetryPolicy;
  readonly defaultLeaseMilliseconds: number;
  readonly leaseThreshold: number;
}

export interface FollowContext {
  readonly servers: Servers;
  readonly settings: FollowSettings;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told of each value that differs from the one before. */
  readonly emit: (value: TemplateValue) => void;
  /** Told of the lease that the secret has now, and until when (milliseconds since 1970) it is good. */
  readonly holds: (leaseId: string, until: number) => void;
}

/** Reads a source and tells each of its values, until the signal aborts. Rejects where the retries are used up. */
export function follow(source: Source, context: FollowContext): Promise<void> {
  switch (source.kind) {
    case "key":
    case "tree":
    case "service":
    case "services":
    case "node":
    case "nodes":
    case "datacenters":
      return followConsul(source, context);
    case "secret":
    case "written":
      return followSecret(source, context);
    case "names":
      return followNames(source, context);
    case "file":
      return followFile(source, context);
    default:
      return assertNever(source);
  }
}
