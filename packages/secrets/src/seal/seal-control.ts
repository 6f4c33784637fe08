import type { InitRequest, InitResult, SealStatus } from "./status.ts";

/** What can be asked of a server whether it is sealed or not. */
export interface SealControl {
  readonly version: string;
  readonly apiAddress: string;
  status(): Promise<SealStatus>;
  init(request: InitRequest): Promise<InitResult>;
  unseal(key: string): Promise<SealStatus>;
  /** Forgets the unseal keys given so far. */
  resetUnseal(): Promise<SealStatus>;
  seal(): Promise<void>;
}
