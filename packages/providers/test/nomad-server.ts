import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { openApi, type TestApi } from "@millwright/orchestrator/simulated-api";

/** A real jobs server over a store in memory, on a free port of this machine; its nodes run nothing and say that they do. */
export interface NomadServer {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  readonly api: TestApi;
  close(): Promise<void>;
}

export async function startNomad(): Promise<NomadServer> {
  const api = await openApi();
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: api.handle,
    clock: systemClock,
    log: silentLog,
    portFlag: "-nomad-port",
    requestId: () => systemChance.uuid(),
    freePortIfTaken: false,
  });
  return {
    address: `http://${formatAddress(listener.address)}`,
    api,
    close: async () => {
      await listener.close(0);
      await api.close();
    },
  };
}
