import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { BackendPorts } from "../backend-type.ts";
import type { PartSettings } from "./part-settings.ts";

/** A key to write with, and what is needed to get it again: kept in clear beside what is written with it. */
export interface FreshKey {
  readonly key: Uint8Array;
  readonly metadata: unknown;
}

/**
 * One kind of key provider. Where its arguments name other providers, `settings` has the keys of those. Both calls reject with
 * `keyUnavailable`, and with `badEncryption` for arguments that cannot be worked with.
 */
export interface KeyProvider {
  /** The names of its arguments. */
  readonly arguments: readonly string[];
  /** A key for what is to be written. */
  fresh(settings: PartSettings, ports: BackendPorts): Promise<FreshKey>;
  /** The key that something was written with; undefined where the metadata is not of this provider. */
  again(settings: PartSettings, metadata: unknown, ports: BackendPorts): Promise<Uint8Array | undefined>;
}

/** That the key of a provider cannot be had now. */
export function keyUnavailable(settings: PartSettings, why: string, cause?: unknown): OperationalError {
  const text = `The key of ${settings.address} cannot be had: ${why}`;
  return new OperationalError(backendErrors.keyUnavailable, text, { cause });
}
