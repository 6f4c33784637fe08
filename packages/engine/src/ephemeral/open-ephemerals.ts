import type { Diagnostic } from "@millwright/core/diagnostics";
import type { Body } from "@millwright/hcl/ast";
import type { Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import type { InstanceAddress } from "../addresses.ts";
import { providerDiagnostics, providerDied } from "../objects.ts";
import type { EphemeralAction, RunPorts } from "../ports.ts";

/** One ephemeral resource instance that is open: what renewing and closing it needs. */
export interface OpenEphemeral {
  readonly address: InstanceAddress;
  /** Of its resource node, whose close node closes it. */
  readonly nodeId: string;
  readonly provider: Provider;
  readonly private: Uint8Array;
  readonly renewAt: Date | undefined;
  /** Where its configuration is written, for what the provider says of it. */
  readonly body: Body;
}

/**
 * The ephemeral resources of one run that are open. Each is renewed when it asks to be, until it is closed: after its last
 * user, else at the end of the run, however that came. Problems go to `diagnostics`.
 */
export class OpenEphemerals {
  readonly #ports: Pick<RunPorts, "clock" | "events">;
  readonly #diagnostics: Diagnostic[];
  readonly #open = new Map<string, { readonly nodeId: string; readonly end: () => Promise<boolean> }>();

  constructor(ports: Pick<RunPorts, "clock" | "events">, diagnostics: Diagnostic[]) {
    this.#ports = ports;
    this.#diagnostics = diagnostics;
  }

  add(opened: OpenEphemeral): void {
    const ending = new AbortController();
    let bytes = opened.private;
    const renewing = this.#renew(opened, ending.signal, (next) => {
      bytes = next;
    });
    const end = async () => {
      ending.abort();
      await renewing;
      return this.#close({ ...opened, private: bytes });
    };
    this.#open.set(opened.address.text, { nodeId: opened.nodeId, end });
  }

  /** Closes the instances of one resource; false where that failed. */
  async close(nodeId: string): Promise<boolean> {
    const ends = [...this.#open].filter(([, entry]) => entry.nodeId === nodeId);
    for (const [address] of ends) this.#open.delete(address);
    const results = await Promise.all(ends.map(([, { end }]) => end()));
    return results.every(Boolean);
  }

  /** Closes whatever is still open, the last opened first. */
  async closeAll(): Promise<void> {
    const left = [...this.#open.values()].reverse();
    this.#open.clear();
    for (const { end } of left) await end();
  }

  async #renew(opened: OpenEphemeral, signal: AbortSignal, keep: (bytes: Uint8Array) => void): Promise<void> {
    const { address, provider, body } = opened;
    const { clock } = this.#ports;
    let bytes = opened.private;
    for (let at = opened.renewAt; at; ) {
      await clock.sleep(Math.max(0, at.getTime() - clock.now()), signal).catch(() => undefined);
      if (signal.aborted) return;
      const call = { type: address.resource.type, private: bytes };
      const answer = await this.#told(address, "renew", body, () => provider.renewEphemeralResource(call));
      if (!answer) return;
      bytes = answer.private;
      keep(bytes);
      at = answer.renewAt;
    }
  }

  async #close({ address, provider, private: bytes, body }: OpenEphemeral): Promise<boolean> {
    const call = { type: address.resource.type, private: bytes };
    return (await this.#told(address, "close", body, () => provider.closeEphemeralResource(call))) !== undefined;
  }

  /** Makes a call and tells of it; undefined where it failed, which is then among the diagnostics. */
  async #told<T extends { readonly diagnostics: ProviderDiagnostics }>(
    { text }: InstanceAddress,
    action: EphemeralAction,
    body: Body,
    call: () => Promise<T>,
  ): Promise<T | undefined> {
    this.#ports.events({ kind: "ephemeral-start", address: text, action });
    try {
      const answer = await call();
      const found = providerDiagnostics(answer.diagnostics, text, body);
      this.#diagnostics.push(...found);
      if (found.some(({ severity }) => severity === "error")) return undefined;
      this.#ports.events({ kind: "ephemeral-done", address: text, action });
      return answer;
    } catch (error) {
      const doing = action === "renew" ? "renewing the ephemeral resource" : "closing the ephemeral resource";
      this.#diagnostics.push(providerDied(text, doing, error));
      return undefined;
    }
  }
}
