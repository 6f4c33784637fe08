import { jsonReply, textReply } from "@millwright/core/http-reply";
import type { HttpContext } from "./context.ts";
import { access } from "./needs.ts";
import { isPretty } from "./reading.ts";
import type { Route } from "./route.ts";

/** `/v1/metrics`: a few figures, as gauges; with `?format=prometheus` as Prometheus reads them. */
export function metricsRoutes(context: HttpContext): Route[] {
  return [
    {
      method: "GET",
      pattern: "/v1/metrics",
      permission: access("agent", "read"),
      blocking: false,
      handle: async (call) => {
        const isText = call.query.get("format") === "prometheus";
        return isText
          ? textReply(200, prometheusText(context), { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
          : jsonReply(summaryJson(context), isPretty(context, call));
      },
    },
  ];
}

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

function gauges({ projection }: HttpContext): readonly Gauge[] {
  const { state } = projection;
  const { heapUsed, rss } = process.memoryUsage();
  return [
    { name: "nomad.runtime.alloc_bytes", help: "Bytes in use on the heap", value: heapUsed },
    { name: "nomad.runtime.sys_bytes", help: "Bytes of memory that the process holds", value: rss },
    { name: "nomad.state.jobs", help: "Jobs", value: state.count("job") },
    { name: "nomad.state.allocations", help: "Allocations", value: state.count("alloc") },
    { name: "nomad.state.evaluations", help: "Evaluations", value: state.count("eval") },
    { name: "nomad.state.deployments", help: "Deployments", value: state.count("deployment") },
    { name: "nomad.state.nodes", help: "Nodes", value: state.count("node") },
    { name: "nomad.http.blocked_queries", help: "Requests that wait for a change", value: projection.blocked },
  ];
}

function summaryJson(context: HttpContext): object {
  const { clock, identity } = context;
  const labels = { host: identity.name, region: identity.region };
  const at = new Date(clock.now()).toISOString().replace("T", " ").replace("Z", "");
  return {
    Timestamp: `${at} +0000 UTC`,
    Gauges: gauges(context).map(({ name, value }) => ({ Name: name, Value: value, Labels: labels })),
    Points: [],
    Counters: [],
    Samples: [],
  };
}

function prometheusText(context: HttpContext): string {
  const { name: host, region } = context.identity;
  return gauges(context)
    .map(({ name, help, value }) => {
      const series = name.replaceAll(".", "_");
      const labels = `host=${JSON.stringify(host)},region=${JSON.stringify(region)}`;
      return `# HELP ${series} ${help}\n# TYPE ${series} gauge\n${series}{${labels}} ${value}\n`;
    })
    .join("");
}
