/**
 * How the bytes of states and plans are written: in clear, or encrypted. What is kept for a short while only (a run's journal)
 * is sealed line by line with a key of its own, so that no line waits for a key provider.
 */
export interface Sealing {
  /** Whether what is written cannot be read by others. */
  readonly sealed: boolean;
  seal(plain: Uint8Array): Promise<Uint8Array>;
  /** Gives back what was sealed. Rejects with `sealUnopened` where it cannot: a wrong key, or bytes in clear that must not be. */
  open(bytes: Uint8Array): Promise<Uint8Array>;
  /** Whether bytes that were opened are sealed as new ones would be; where not, they are to be written again. */
  isCurrent(bytes: Uint8Array): boolean;
}

/** Everything in clear. */
export const inClear: Sealing = {
  sealed: false,
  seal: async (plain) => plain,
  open: async (bytes) => bytes,
  isCurrent: () => true,
};
