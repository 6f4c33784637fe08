/** What `sys/seal-status` tells. */
export interface SealStatus {
  readonly initialized: boolean;
  readonly sealed: boolean;
  /** How many different unseal keys open the seal. */
  readonly threshold: number;
  /** How many unseal keys there are. */
  readonly shares: number;
  /** How many have been given so far. */
  readonly progress: number;
  /** Names the attempt under way; empty where there is none. */
  readonly nonce: string;
  readonly version: string;
  readonly clusterName?: string;
  readonly clusterId?: string;
}

export interface InitRequest {
  /** 1 to 255 unseal keys are made. */
  readonly shares: number;
  /** So many of them open the seal: 1 where there is one share, else 2 to `shares`. */
  readonly threshold: number;
}

/** Told once, at init, and kept nowhere. */
export interface InitResult {
  /** Unseal keys, hex. */
  readonly keys: readonly string[];
  readonly keysBase64: readonly string[];
  readonly rootToken: string;
}
