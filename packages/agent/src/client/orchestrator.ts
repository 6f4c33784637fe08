import type { AllocationsAnswer } from "@millwright/clients/nomad-node-client";
import type {
  AllocationUpdates,
  IdentityAnswer,
  IdentityRequest,
  NodeRegistration,
  Registered,
} from "@millwright/clients/nomad-node-protocol";
import type { HttpReply, HttpRequest } from "@millwright/core/http";

/** The servers of jobs, as a node speaks to them; `NomadNodeClient` is one. Rejects with `nomadNodeErrors`. */
export interface Orchestrator {
  readonly addresses: readonly string[];
  register(registration: NodeRegistration, signal: AbortSignal): Promise<Registered>;
  allocations(
    position: { readonly node: string; readonly index: number; readonly wait: number },
    signal: AbortSignal,
  ): Promise<AllocationsAnswer>;
  /** In the JSON of Nomad's API. */
  job(
    job: { readonly node: string; readonly namespace: string; readonly job: string; readonly version: number },
    signal: AbortSignal,
  ): Promise<unknown>;
  update(updates: AllocationUpdates, signal: AbortSignal): Promise<void>;
  identity(request: IdentityRequest, signal: AbortSignal): Promise<IdentityAnswer>;
  /** Passes a request of Nomad's API on. */
  forward(request: HttpRequest): Promise<HttpReply>;
}
