import type { VaultClient } from "@millwright/clients/vault";
import { OperationalError } from "@millwright/core/errors";
import type { VaultMount, VaultPort } from "./servers.ts";

/**
 * Reads and writes through a client; make it with one attempt a request. `token` is asked before each request, for tokens
 * that change; undefined leaves it to the client's own.
 */
export function vaultPort(client: VaultClient, token: () => string | undefined): VaultPort {
  const options = (signal: AbortSignal) => {
    const current = token();
    return { signal, ...(current === undefined ? {} : { token: current }) };
  };
  return {
    address: client.address,
    read: (path, query, signal) => client.read(path, { ...options(signal), query }),
    write: (path, data, signal) => client.write(path, data, options(signal)),
    list: (path, signal) => client.list(path, options(signal)),
    renewLease: (leaseId, increment, signal) => client.renewLease(leaseId, increment, options(signal)),
    revokeLease: (leaseId, signal) => client.revokeLease(leaseId, options(signal)),
    lookupSelf: (signal) => client.lookupSelf(options(signal)),
    renewSelf: (increment, signal) => client.renewSelf(increment, options(signal)),
    mountOf: async (path, signal) => {
      try {
        const found = await client.read(`sys/internal/ui/mounts/${path}`, options(signal));
        return mountFrom(found?.data);
      } catch (error) {
        // Who may not ask may still read: the path is taken as it stands then.
        if (error instanceof OperationalError && error.kind.status < 500) return undefined;
        throw error;
      }
    },
  };
}

function mountFrom(data: Readonly<Record<string, unknown>> | undefined): VaultMount | undefined {
  if (typeof data?.path !== "string") return undefined;
  const version = (data.options as { readonly version?: unknown } | null | undefined)?.version;
  return { path: data.path, type: String(data.type ?? ""), version: version === undefined ? "1" : String(version) };
}
