import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Instance, Jobs } from "../../scripts/start/factory-jobs.ts";
import { Stage } from "../../scripts/start/stage.ts";
import { startNomad } from "./peer-agents.ts";
import { processTree } from "./process-tree.ts";
import { millwright } from "./programs.ts";

/** Somewhere jobs run. */
export interface Place {
  readonly name: string;
  /** Of services. */
  readonly provider: "consul" | "nomad";
  /** `http://host:port` of Nomad's API. */
  readonly url: string;
  /** Where a service's healthy instances are. */
  find(service: string): Promise<readonly Instance[]>;
  /** Only of ours. */
  readonly addNode?: (name: string) => Promise<AddedNode>;
}

export interface AddedNode {
  runs(pid: number): boolean;
  /** Ends it with all that it has started, as when its machine is lost. */
  lose(): void;
}

/** `millwright dev`, for as long as it is used. */
export async function withOwn(use: (place: Place) => Promise<void>): Promise<void> {
  const stage = await Stage.open("any", new AbortController().signal);
  const nodes: AddedNode[] = [];
  const jobs = new Jobs(stage.addresses);
  const addNode = async (name: string) => {
    const node = await startAgent(stage, name);
    nodes.push(node);
    await nodeIsReady(url, name);
    return node;
  };
  const url = `http://${stage.addresses.nomad}`;
  const find = (service: string) => jobs.find(`${service}.service.consul`);
  try {
    await use({ name: "millwright", provider: "consul", url, find, addNode });
  } finally {
    for (const node of nodes) node.lose();
    unmountBelow(stage.folder);
    await stage.close();
  }
}

async function startAgent(stage: Stage, name: string): Promise<AddedNode> {
  const server = join(stage.folder, ".millwright", "server");
  const { http } = JSON.parse(readFileSync(join(server, "running.json"), "utf8")) as {
    readonly http: readonly string[];
  };
  const joining = [`-join=${http[0]}`, `-join-token-file=${join(server, "join-token")}`];
  const ports = ["-http-port=0", "-dns-port=-1", "-nomad-port=0", `-nomad-servers=${stage.addresses.nomad}`];
  const own = [`-data-dir=${join(stage.folder, name)}`, `-node=${name}`, "-driver-raw-exec", "-log-level=warn"];
  const child = spawn(millwright, ["agent", ...joining, ...ports, ...own], { stdio: "ignore" });
  await once(child, "spawn");
  return nodeOf(child.pid ?? 0);
}

/** What a lost node has mounted for its tasks is still there, as this machine is. */
function unmountBelow(folder: string): void {
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n")) {
    const [, place = ""] = line.split(" ");
    if (place.startsWith(folder)) spawnSync("umount", ["-l", place]);
  }
}

function nodeOf(pid: number): AddedNode {
  return {
    runs: (task) => processTree(pid).some((one) => one.pid === task),
    lose: () => {
      for (const one of processTree(pid)) process.kill(one.pid, "SIGKILL");
    },
  };
}

/** A Nomad for development, for as long as it is used. */
export async function withNomad(program: string, folder: string, use: (place: Place) => Promise<void>): Promise<void> {
  const server = await startNomad(program, folder);
  const find = (service: string) => findInNomad(server.url, service);
  try {
    await use({ name: "Nomad", provider: "nomad", url: server.url, find });
  } finally {
    nodeOf(server.pid).lose();
    unmountBelow(folder);
  }
}

async function findInNomad(url: string, service: string): Promise<readonly Instance[]> {
  type Registration = { readonly Address: string; readonly Port: number; readonly AllocID: string };
  const registrations = (await json<readonly Registration[]>(`${url}/v1/service/${service}`)) ?? [];
  const found = registrations.map(async ({ Address, Port, AllocID }) => {
    type Checks = Readonly<Record<string, { readonly Status: string }>>;
    const checks = Object.values((await json<Checks>(`${url}/v1/client/allocation/${AllocID}/checks`)) ?? {});
    const isHealthy = checks.length > 0 && checks.every(({ Status }) => Status === "success");
    return isHealthy ? [{ host: Address, port: Port }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function json<T>(url: string): Promise<T | undefined> {
  const answer = await fetch(url);
  return answer.ok ? ((await answer.json()) as T) : undefined;
}

async function nodeIsReady(url: string, name: string): Promise<void> {
  type Node = { readonly Name: string; readonly Status: string };
  for (let look = 0; look < 150; look++, await pause(200)) {
    const nodes = (await json<readonly Node[]>(`${url}/v1/nodes`)) ?? [];
    if (nodes.some(({ Name, Status }) => Name === name && Status === "ready")) return;
  }
  throw new Error(`${url}: the node ${name} does not come up`);
}
