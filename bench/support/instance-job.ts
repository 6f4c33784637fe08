const milliseconds = 1_000_000;
const seconds = 1_000 * milliseconds;

/** It answers each request with its pid. */
const program = `require("node:http").createServer((_, answer) => answer.end(String(process.pid)))
  .listen(Number(process.env.NOMAD_PORT_http), "127.0.0.1")`;

/** A job of one instance in Nomad's JSON, with a service of its own name, on that node where it is there; `any` for none. */
export function instanceJob(name: string, provider: "consul" | "nomad", node: string): object {
  const check = { Name: "http", Type: "http", Path: "/", Interval: seconds, Timeout: seconds };
  const task = {
    Name: name,
    Driver: "raw_exec",
    Config: { command: process.execPath, args: ["-e", program] },
    Resources: { CPU: 50, MemoryMB: 64 },
  };
  const group = {
    Name: name,
    Count: 1,
    Tasks: [task],
    Networks: [{ DynamicPorts: [{ Label: "http" }] }],
    Services: [{ Name: name, PortLabel: "http", Provider: provider, Checks: [check] }],
    RestartPolicy: { Attempts: 1_000, Interval: 3_600 * seconds, Delay: 250 * milliseconds, Mode: "delay" },
  };
  const wanted = { LTarget: "${node.unique.name}", RTarget: node, Operand: "=", Weight: 100 };
  return {
    ID: name,
    Type: "service",
    Datacenters: ["dc1"],
    TaskGroups: [group],
    Affinities: node === "any" ? [] : [wanted],
  };
}
