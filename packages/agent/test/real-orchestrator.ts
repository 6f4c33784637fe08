import { ConsulClient } from "@millwright/clients/consul";
import { silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { discoveryMembership } from "@millwright/orchestrator/discovery-membership";
import { openOrchestrator } from "@millwright/orchestrator/orchestrator";
import { openMemoryStore } from "@millwright/store/memory";
import type { RealDiscovery } from "./real-discovery.ts";

/** A real server of jobs, in memory, that asks a real server of discovery which nodes there are. */
export interface RealOrchestrator {
  readonly address: string;
  /** The JSON of an answer to `METHOD /path`; rejects with what it says for any other status than 2xx. */
  ask(line: string, body?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export async function realOrchestrator(discovery: RealDiscovery, token: string): Promise<RealOrchestrator> {
  const ports = { clock: systemClock, log: silentLog };
  const store = openMemoryStore();
  const client = new ConsulClient({ address: discovery.address });
  const orchestrator = await openOrchestrator({
    store,
    identity: {
      region: "global",
      datacenter: "dc1",
      name: "server-1",
      address: "127.0.0.1",
      port: 4646,
      version: "0.1.0",
    },
    gates: { commands: null, discovery: () => client },
    membership: discoveryMembership({ client, token: () => token, ...ports }),
    ...ports,
  });
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: orchestrator.handle,
    requestId: () => systemChance.uuid(),
    ...ports,
  });
  const address = formatAddress(listener.address);
  return {
    address,
    ask: async (line, body) => {
      const [method = "GET", path = "/"] = line.split(" ");
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const answer = await fetch(`http://${address}${path}`, init);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${line} answered ${answer.status}: ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
    close: async () => {
      await orchestrator.close();
      await listener.close(0);
      await client.close();
      await store.close();
    },
  };
}
