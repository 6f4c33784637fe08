import type { Clock } from "@millwright/core/ports";
import { failure } from "../problem.ts";

/** What the test provider does to objects in its world. */
export type TestOperation = "create" | "read" | "update" | "delete" | "data" | "open";

/**
 * A fault to show on command: at `on`, for the object of that name (any, if left out), for the next `times` calls (for ever,
 * if left out).
 */
export type TestFault = {
  readonly on: TestOperation;
  readonly name?: string;
  readonly times?: number;
} & (
  | { /** An error before anything was done. */ readonly how: "fail" }
  | {
      /** An error after the object was made or changed in part; what is there is answered beside it. */ readonly how: "failHalfway";
    }
  | {
      /** Nothing happens until the provider is told to stop; then the call fails, with nothing done. */ readonly how: "hang";
    }
  | { /** The call rejects, as when the provider's process dies. */ readonly how: "crash" }
  | { /** The call works, after a while. */ readonly how: "slow"; readonly milliseconds: number }
  | {
      /** The call works, once the promise has been resolved. */ readonly how: "wait";
      readonly until: Promise<unknown>;
    }
);

/** The faults that wait for their moment. */
export class TestFaults {
  readonly #waiting: { readonly fault: TestFault; left: number }[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(fault: TestFault): void {
    this.#waiting.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Whether a crash is due; it is shown by the provider as a whole, not by one resource. */
  takeCrash(on: TestOperation, name: string): boolean {
    return this.#take(on, name, (fault) => fault.how === "crash") !== undefined;
  }

  /** Shows what is due before `on` begins. */
  async before(on: TestOperation, name: string, signal: AbortSignal): Promise<void> {
    const fault = this.#take(on, name, (f) => f.how !== "crash" && f.how !== "failHalfway");
    switch (fault?.how) {
      case "fail":
        throw commanded(on, name);
      case "hang":
        return untilAborted(signal);
      case "slow":
        return this.#clock.sleep(fault.milliseconds, signal);
      case "wait":
        await fault.until;
        return;
      default:
        return;
    }
  }

  /** Shows what is due when `on` is done by half. */
  halfway(on: TestOperation, name: string): void {
    if (this.#take(on, name, (fault) => fault.how === "failHalfway")) throw commanded(on, name);
  }

  #take(on: TestOperation, name: string, wanted: (fault: TestFault) => boolean): TestFault | undefined {
    const found = this.#waiting.find(({ fault }) => fault.on === on && (fault.name ?? name) === name && wanted(fault));
    if (!found) return undefined;
    found.left--;
    if (found.left <= 0) this.#waiting.splice(this.#waiting.indexOf(found), 1);
    return found.fault;
  }
}

function commanded(on: TestOperation, name: string): Error {
  return failure(`Failed to ${on} ${name}`, "The test provider was told to fail.", ["name"]);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
