import type { Provider } from "../protocol.ts";

/** One call of a provider, as it went: what was asked, and what came of it. */
export interface RecordedCall {
  readonly method: keyof Provider;
  /** The resource type, where the call has one. */
  readonly type: string | undefined;
  readonly request: unknown;
  readonly outcome: "running" | "answered" | "rejected";
}

/** The calls that reached a provider, in the order in which they began. */
export class CallLog {
  readonly #calls: RecordedCall[] = [];
  #running = 0;
  #peak = 0;

  get calls(): readonly RecordedCall[] {
    return this.#calls;
  }

  /** The largest number of calls that ran at one time. */
  get peak(): number {
    return this.#peak;
  }

  count(method: keyof Provider, type?: string): number {
    return this.#calls.filter((call) => call.method === method && (type === undefined || call.type === type)).length;
  }

  clear(): void {
    this.#calls.length = 0;
    this.#peak = this.#running;
  }

  async record<T>(method: keyof Provider, request: unknown, work: () => Promise<T>): Promise<T> {
    const index = this.#calls.push({ method, type: typeOf(request), request, outcome: "running" }) - 1;
    const began = this.#calls[index]!;
    this.#running++;
    this.#peak = Math.max(this.#peak, this.#running);
    const end = (outcome: RecordedCall["outcome"]) => {
      this.#running--;
      // The log may have been cleared in the meantime.
      if (this.#calls[index] === began) this.#calls[index] = { ...began, outcome };
    };
    try {
      const answer = await work();
      end("answered");
      return answer;
    } catch (error) {
      end("rejected");
      throw error;
    }
  }
}

/** The same provider, with every call written into `log`. */
export function recorded(provider: Provider, log: CallLog): Provider {
  const { findInterrupted, upgradeResourceIdentity } = provider;
  return {
    schema: () => log.record("schema", undefined, () => provider.schema()),
    validateProviderConfig: (call) =>
      log.record("validateProviderConfig", call, () => provider.validateProviderConfig(call)),
    validateResourceConfig: (call) =>
      log.record("validateResourceConfig", call, () => provider.validateResourceConfig(call)),
    validateDataConfig: (call) => log.record("validateDataConfig", call, () => provider.validateDataConfig(call)),
    validateEphemeralConfig: (call) =>
      log.record("validateEphemeralConfig", call, () => provider.validateEphemeralConfig(call)),
    upgradeResourceState: (call) => log.record("upgradeResourceState", call, () => provider.upgradeResourceState(call)),
    ...(upgradeResourceIdentity && {
      upgradeResourceIdentity: (call) =>
        log.record("upgradeResourceIdentity", call, () => upgradeResourceIdentity(call)),
    }),
    configure: (call) => log.record("configure", call, () => provider.configure(call)),
    readResource: (call) => log.record("readResource", call, () => provider.readResource(call)),
    planResourceChange: (call) => log.record("planResourceChange", call, () => provider.planResourceChange(call)),
    applyResourceChange: (call) => log.record("applyResourceChange", call, () => provider.applyResourceChange(call)),
    importResourceState: (call) => log.record("importResourceState", call, () => provider.importResourceState(call)),
    moveResourceState: (call) => log.record("moveResourceState", call, () => provider.moveResourceState(call)),
    readDataSource: (call) => log.record("readDataSource", call, () => provider.readDataSource(call)),
    openEphemeralResource: (call) =>
      log.record("openEphemeralResource", call, () => provider.openEphemeralResource(call)),
    renewEphemeralResource: (call) =>
      log.record("renewEphemeralResource", call, () => provider.renewEphemeralResource(call)),
    closeEphemeralResource: (call) =>
      log.record("closeEphemeralResource", call, () => provider.closeEphemeralResource(call)),
    callFunction: (call) => log.record("callFunction", call, () => provider.callFunction(call)),
    ...(findInterrupted && {
      findInterrupted: (call) => log.record("findInterrupted", call, () => findInterrupted(call)),
    }),
    stop: () => log.record("stop", undefined, () => provider.stop()),
    close: () => log.record("close", undefined, () => provider.close()),
  };
}

function typeOf(request: unknown): string | undefined {
  const has = typeof request === "object" && request !== null && "type" in request && typeof request.type === "string";
  return has ? (request as { readonly type: string }).type : undefined;
}
