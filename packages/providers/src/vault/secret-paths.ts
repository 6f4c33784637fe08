import { clientErrors } from "@millwright/clients/errors";
import type { VaultClient, VaultSecret } from "@millwright/clients/vault";
import type { VaultCallOptions } from "@millwright/clients/vault-api";
import { isKind } from "@millwright/core/errors";
import { objectAt, readIfThere, textAt } from "./answers.ts";
import { trimmedPath } from "./fields.ts";

/** Where a secret is whose path is written as people do, without `data/`: the paths of the API. */
export interface SecretPaths {
  /** Of the engine that keeps versions. */
  readonly isVersioned: boolean;
  readonly data: string;
  /** Deleting this deletes every version. */
  readonly metadata: string;
}

/**
 * Asks what is mounted there, as only the engine's version tells. Where nothing is, and where the token may do nothing, the
 * server refuses to say: then the path is taken as it is, and the request for it says what is wrong.
 */
export async function secretPaths(client: VaultClient, path: string, options: VaultCallOptions): Promise<SecretPaths> {
  const whole = trimmedPath(path);
  const mounted = await mountOf(client, whole, options);
  const mount = textAt(mounted, "path");
  const isVersioned = textAt(mounted, "type") === "kv" && objectAt(mounted, "options").version === "2";
  if (!isVersioned || !whole.startsWith(mount)) return { isVersioned: false, data: whole, metadata: whole };
  const name = whole.slice(mount.length).replace(/^data\//, "");
  return { isVersioned, data: `${mount}data/${name}`, metadata: `${mount}metadata/${name}` };
}

async function mountOf(client: VaultClient, path: string, options: VaultCallOptions): Promise<Data> {
  try {
    return (await readIfThere(client, `sys/internal/ui/mounts/${path}`, options))?.data ?? {};
  } catch (error) {
    if (isKind(error, clientErrors.denied)) return {};
    throw error;
  }
}

type Data = Readonly<Record<string, unknown>>;

/** A version of a secret: what it holds, and what is known of it; undefined where it was deleted. */
export function versionOf(
  found: VaultSecret | undefined,
): { readonly data: Data; readonly metadata: Data } | undefined {
  const { data } = found ?? {};
  if (!data || typeof data.data !== "object" || data.data === null) return undefined;
  return { data: objectAt(data, "data"), metadata: objectAt(data, "metadata") };
}
