import { silentLog, systemClock } from "@millwright/core/ports";
import { formatAddress, listen } from "@millwright/daemon/listener";
import { type Node, type NodeOptions, openNode } from "../src/node.ts";

/** A node with a listener of its own. */
export interface RunningNode {
  readonly node: Node;
  readonly address: string;
  /** `PUT /path`; a body is sent as JSON. */
  ask(line: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  close(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
  readonly headers: Headers;
}

export const testIdentity = {
  name: "web-1",
  id: "11111111-2222-4333-8444-555555555555",
  datacenter: "dc1",
  address: "10.0.0.7",
  version: "0.1.0",
  server: false,
} as const;

export async function runNode(options: Partial<NodeOptions> = {}): Promise<RunningNode> {
  const node = await openNode({ identity: testIdentity, servers: [], scriptChecks: "none", ...options });
  const listener = await listen({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    service: node.handle,
    clock: systemClock,
    log: silentLog,
    requestId: () => "test",
  });
  const address = formatAddress(listener.address);
  return {
    node,
    address,
    ask: async (line, body, headers = {}) => {
      const [method = "GET", path = "/"] = line.split(" ");
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await fetch(`http://${address}${path}`, { method, headers, ...init });
      const text = await reply.text();
      const isJson = reply.headers.get("content-type") === "application/json";
      return { status: reply.status, text, json: isJson ? JSON.parse(text) : undefined, headers: reply.headers };
    },
    close: async () => {
      await listener.close(0);
      await node.close();
    },
  };
}

/** Resolves when `holds` does; rejects after `milliseconds`, saying what was waited for. */
export async function until(what: string, holds: () => unknown, milliseconds = 5_000): Promise<void> {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > milliseconds) throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
    await systemClock.sleep(10);
  }
}
