import { messageOf, OperationalError } from "@millwright/core/errors";
import type { Chance, Clock, Log } from "@millwright/core/ports";
import type { TemplateValue } from "@millwright/template/value";
import { type FollowSettings, follow } from "./follow.ts";
import { oneLine } from "./retry.ts";
import type { Servers } from "./servers.ts";
import type { Source } from "./source.ts";

export interface WatcherPorts {
  readonly servers: Servers;
  readonly settings: FollowSettings;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  readonly arrived: (id: string, value: TemplateValue) => void;
  /** A source cannot be read, however often it was tried. */
  readonly failed: (source: Source, message: string) => void;
}

interface Followed {
  readonly control: AbortController;
  readonly over: Promise<void>;
  /** The leases it holds, and until when they are good (milliseconds since 1970). */
  readonly leases: Map<string, number>;
}

/**
 * How long after its end a lease counts as one that may still be there: servers tell whole seconds, and take their time to
 * end what has run out.
 */
const slackMilliseconds = 60_000;
/** How long giving leases back may take altogether. */
const giveBackMilliseconds = 10_000;

/** Follows sources, and knows the leases that came with them. */
export class Watcher {
  readonly #ports: WatcherPorts;
  readonly #followed = new Map<string, Followed>();

  constructor(ports: WatcherPorts) {
    this.#ports = ports;
  }

  add(source: Source): void {
    const control = new AbortController();
    const leases = new Map<string, number>();
    const { arrived, failed, ...ports } = this.#ports;
    const over = follow(source, {
      ...ports,
      signal: control.signal,
      emit: (value) => arrived(source.id, value),
      holds: (leaseId, until) => {
        leases.set(leaseId, until);
        for (const [other, end] of leases) if (end + slackMilliseconds < ports.clock.now()) leases.delete(other);
      },
    }).catch((error: unknown) => {
      const { aborted, reason } = control.signal;
      if (aborted && (error === reason || error instanceof OperationalError)) return;
      if (error instanceof OperationalError) failed(source, error.message);
      else throw error;
    });
    this.#followed.set(source.id, { control, over, leases });
  }

  /** Stops following; what was leased for it is given back where `givesBack` says so. */
  async drop(ids: readonly string[], givesBack: "givesBack" | "keeps"): Promise<void> {
    const dropped = ids.flatMap((id) => this.#followed.get(id) ?? []);
    for (const id of ids) this.#followed.delete(id);
    for (const { control } of dropped) control.abort();
    await Promise.all(dropped.map(({ over }) => over));
    if (givesBack === "keeps") return;
    const leases = dropped.flatMap((one) => [...one.leases.keys()]);
    const signal = AbortSignal.timeout(giveBackMilliseconds);
    await Promise.all(leases.map((leaseId) => this.#giveBack(leaseId, signal)));
  }

  /** Stops following everything. */
  stop(givesBack: "givesBack" | "keeps"): Promise<void> {
    return this.drop([...this.#followed.keys()], givesBack);
  }

  // A lease that cannot be given back ends by itself; that is worth a line and no more.
  async #giveBack(leaseId: string, signal: AbortSignal): Promise<void> {
    const { servers, log } = this.#ports;
    try {
      await servers.vault.revokeLease(leaseId, signal);
      log.write("info", `lease ${leaseId} given back`);
    } catch (error) {
      log.write(
        "warn",
        `the lease ${leaseId} could not be given back and runs out by itself: ${oneLine(messageOf(error))}`,
      );
    }
  }
}
