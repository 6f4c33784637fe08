import { hasErrors } from "@millwright/core/diagnostics";
import { systemClock } from "@millwright/core/ports";
import { backendNamed, backendPlain, backendValue, openBackend } from "@millwright/backends/configure";
import { backendNames } from "@millwright/backends/table";
import type { RemoteStates } from "@millwright/providers/remote-state";
import type { Session } from "../session.ts";
import { sealingOf } from "./sealing.ts";

/** The states of other configurations as a session reads them: from every backend, decrypted as the folder says. */
export function remoteStatesOf(session: Session): RemoteStates {
  return {
    backends: backendNames,
    read: async ({ backend, config, workspace, signal }) => {
      const sealing = await sealingOf(session, [], "remote");
      const named = await backendNamed(backend);
      const value = named.value && backendValue(named.value, config);
      const ports = { folder: session.folder, env: session.io.env, clock: systemClock };
      const opened =
        named.value && value && !hasErrors(value.diagnostics)
          ? await openBackend(named.value, backendPlain(named.value, value.value), ports)
          : undefined;
      const wrong = [...named.diagnostics, ...(value?.diagnostics ?? []), ...(opened?.diagnostics ?? [])];
      if (!opened?.value || !sealing) throw new Error(wrong.map(({ detail }) => detail).join(" "));
      try {
        const bytes = await opened.value.slot(workspace).read(signal);
        return bytes && (await sealing.open(bytes));
      } finally {
        await opened.value.close();
      }
    },
  };
}
