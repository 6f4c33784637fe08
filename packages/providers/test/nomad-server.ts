import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { at, openApi, type TestApi } from "@millwright/orchestrator/simulated-api";

/** A real jobs server over a store in memory, on a free port of this machine; its nodes run nothing and say that they do. */
export interface NomadServer {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  readonly api: TestApi;
  close(): Promise<void>;
}

type NodeOutcome = "well" | "unhealthy" | "fails" | "hangs";

/** `nodes` are there, and ready, when it resolves; `outcome` says what becomes of what they are to run. */
export async function startNomad(nodes: readonly string[] = [], outcome?: NodeOutcome): Promise<NomadServer> {
  const api = await openApi();
  for (const id of nodes) await api.cluster.join(id, outcome ? { outcome: () => outcome } : {});
  const isReady = (node: unknown) => at(node, "Status") === "ready";
  while (((await api.json("GET /v1/nodes")) as readonly unknown[]).filter(isReady).length < nodes.length)
    await systemClock.sleep(5);
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
