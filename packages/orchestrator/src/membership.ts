/** Who a node's token is of, and which nodes are alive: discovery's to say. Several implementations; one is over HTTP. */
export interface Membership {
  /** Undefined for a token that is no node's. Rejects with an operational error where nobody can tell. */
  identify(token: string, signal: AbortSignal): Promise<NodeIdentity | undefined>;
  /** The nodes that have joined, whole, at once and again at each change, until the signal aborts. */
  follow(signal: AbortSignal): AsyncIterable<readonly Member[]>;
}

/** Both as discovery has them; `id` is a UUID. */
export interface NodeIdentity {
  readonly id: string;
  readonly name: string;
}

export interface Member extends NodeIdentity {
  /** Whether it was heard of lately: its liveness lease lasts. */
  readonly isAlive: boolean;
}
