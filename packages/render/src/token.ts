import { OperationalError } from "@millwright/core/errors";
import type { Clock, Log } from "@millwright/core/ports";
import { oneLine } from "./retry.ts";
import type { VaultPort } from "./servers.ts";

export interface TokenPorts {
  readonly vault: VaultPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How soon it is tried again where the server cannot be asked. */
const againMilliseconds = 10_000;

/**
 * Keeps the own token alive: renewed at two thirds of the time that it has. Returns where there is nothing to renew, or no
 * more; what is read later with a token that has ended says so.
 */
export async function keepToken({ vault, clock, log, signal }: TokenPorts): Promise<void> {
  while (!signal.aborted) {
    const seconds = await lifetime();
    if (seconds === "unknown") await clock.sleep(againMilliseconds, signal);
    else if (seconds === undefined) return;
    else {
      await clock.sleep((seconds * 1000 * 2) / 3, signal);
      await attempt(() => vault.renewSelf(seconds, signal), "cannot renew the token");
    }
  }

  /** Undefined for a token that does not end, or cannot be renewed. */
  async function lifetime(): Promise<number | undefined | "unknown"> {
    const found = await attempt(() => vault.lookupSelf(signal), "cannot ask for the token's life");
    if (found === "refused") return undefined;
    if (found === "unreachable") return "unknown";
    const { ttl, renewable } = found.data ?? {};
    return renewable === true && Number(ttl) > 0 ? Number(ttl) : undefined;
  }

  async function attempt<T>(call: () => Promise<T>, what: string): Promise<T | "refused" | "unreachable"> {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      log.write("warn", `${what}: ${oneLine(error.message)}`);
      return error.kind.retryable ? "unreachable" : "refused";
    }
  }
}
