import { formatDuration, millisecond } from "@millwright/text/duration";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

/** A check's result; from best to worst. */
export type CheckStatus = "passing" | "warning" | "critical";

/** A check, as it was registered on this node. */
export interface CheckDefinition {
  readonly id: string;
  readonly name: string;
  readonly notes: string;
  /** Of the service it is about; empty where it is about the node. */
  readonly serviceId: string;
  readonly probe: Probe;
  /** Until the first result. */
  readonly initialStatus: CheckStatus;
  /** How many results in a row it takes to change the status; 0 is as 1. */
  readonly successBeforePassing: number;
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
  /** Milliseconds of critical after which the service is deregistered; 0 for never. */
  readonly deregisterAfter: number;
  /** Bytes of output that are kept. */
  readonly outputMaxSize: number;
}

/** How the health is found out. Times are milliseconds. */
export type Probe =
  | { readonly kind: "ttl"; readonly ttl: number }
  | HttpProbe
  | TcpProbe
  | { readonly kind: "udp"; readonly address: string; readonly interval: number; readonly timeout: number }
  | ScriptProbe
  /** The health of another service, or of a node where `serviceId` is empty. `node` is empty for this one. */
  | { readonly kind: "alias"; readonly node: string; readonly serviceId: string }
  /** Set by an operator; critical until it is lifted. */
  | { readonly kind: "maintenance" };

export interface HttpProbe {
  readonly kind: "http";
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly followRedirects: boolean;
  readonly tlsVerify: boolean;
  readonly tlsServerName: string;
  readonly interval: number;
  readonly timeout: number;
}

export interface TcpProbe {
  readonly kind: "tcp";
  readonly address: string;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsServerName: string;
  readonly interval: number;
  readonly timeout: number;
}

export interface ScriptProbe {
  readonly kind: "script";
  readonly args: readonly string[];
  readonly interval: number;
  readonly timeout: number;
}

const leastInterval = 1_000;
const leastDeregisterAfter = 60_000;
const defaultOutput = 4 * 1024;

/** What a check is about, and what it is called where its definition does not say. */
export interface CheckPlace {
  readonly serviceId: string;
  readonly id: string;
  readonly name: string;
}

/** Reads a check in the form of Consul's agent API and configuration files. Throws {@link WireMistake}. */
export function parseCheck(value: unknown, place: CheckPlace): CheckDefinition {
  const fields = new WireFields(value, "a check");
  const probe = parseProbe(fields);
  const name = fields.text("Name") || place.name;
  const failuresBeforeCritical = fields.whole("FailuresBeforeCritical");
  const failuresBeforeWarning = fields.whole("FailuresBeforeWarning", failuresBeforeCritical);
  const outputMaxSize = fields.whole("OutputMaxSize") || defaultOutput;
  if (outputMaxSize < 0) throw new WireMistake("MaxOutputMaxSize must be positive");
  if (failuresBeforeWarning > failuresBeforeCritical)
    throw new WireMistake("FailuresBeforeWarning can't be higher than FailuresBeforeCritical");
  const deregisterAfter = fields.milliseconds("DeregisterCriticalServiceAfter");
  return {
    id: fields.text("CheckID") || fields.text("ID") || place.id || name,
    name,
    notes: fields.text("Notes"),
    serviceId: fields.text("ServiceID") || place.serviceId,
    probe,
    initialStatus: parseStatus(fields.text("Status")) ?? "critical",
    successBeforePassing: fields.whole("SuccessBeforePassing"),
    failuresBeforeWarning,
    failuresBeforeCritical,
    deregisterAfter: deregisterAfter > 0 ? Math.max(leastDeregisterAfter, deregisterAfter) : 0,
    outputMaxSize,
  };
}

/** A status by its name; undefined for an empty one. Throws {@link WireMistake}. */
export function parseStatus(text: string): CheckStatus | undefined {
  if (text === "") return undefined;
  if (text === "passing" || text === "warning" || text === "critical") return text;
  throw new WireMistake(`Bad check status: ${JSON.stringify(text)}; write passing, warning or critical`);
}

/** The check in the form that {@link parseCheck} reads. */
export function encodeCheck(check: CheckDefinition): object {
  return {
    CheckID: check.id,
    Name: check.name,
    Notes: check.notes,
    ServiceID: check.serviceId,
    Status: check.initialStatus,
    SuccessBeforePassing: check.successBeforePassing,
    FailuresBeforeWarning: check.failuresBeforeWarning,
    FailuresBeforeCritical: check.failuresBeforeCritical,
    OutputMaxSize: check.outputMaxSize,
    DeregisterCriticalServiceAfter: durationText(check.deregisterAfter),
    ...encodeProbe(check.probe),
  };
}

/** `10s`, `1m0s`; empty for 0. */
export function durationText(milliseconds: number): string {
  return milliseconds === 0 ? "" : formatDuration(BigInt(Math.round(milliseconds)) * millisecond);
}

/** The kinds of checks that Consul knows and this node does not run. */
const otherKinds = ["GRPC", "DockerContainerID", "H2PING", "OSService"] as const;

function parseProbe(fields: WireFields): Probe {
  const other = otherKinds.find((name) => fields.has(name) && fields.raw(name) !== "");
  if (other !== undefined)
    throw new WireMistake(
      `${other} checks are not run by this agent; use HTTP, TCP, UDP, Args (a script), TTL or Alias`,
    );
  if (fields.text("Script") !== "")
    throw new WireMistake('Script is not run any more; give the program and its arguments as a list: "Args"');
  const args = fields.has("Args") ? fields.texts("Args") : fields.texts("ScriptArgs");
  const hasAlias = fields.text("AliasNode") !== "" || fields.text("AliasService") !== "";
  const hasProbe = ["HTTP", "TCP", "UDP"].some((name) => fields.text(name) !== "") || args.length > 0;
  const ttl = fields.milliseconds("TTL");
  const interval = fields.milliseconds("Interval");
  refuseMixedTimes({ hasAlias, hasProbe, ttl, interval });
  if (hasAlias) return { kind: "alias", node: fields.text("AliasNode"), serviceId: fields.text("AliasService") };
  if (!hasProbe) return { kind: "ttl", ttl };
  return parseTimedProbe(fields, args, Math.max(leastInterval, interval));
}

function refuseMixedTimes(given: {
  readonly hasAlias: boolean;
  readonly hasProbe: boolean;
  readonly ttl: number;
  readonly interval: number;
}): void {
  const { hasAlias, hasProbe, ttl, interval } = given;
  if (interval > 0 && ttl > 0) throw new WireMistake("Interval and TTL cannot both be specified");
  if (hasProbe && interval <= 0)
    throw new WireMistake("Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks");
  if (hasProbe && hasAlias) throw new WireMistake("Interval cannot be set for Alias checks");
  if (hasAlias && ttl > 0) throw new WireMistake("TTL must be not be set for Alias checks");
  if (!hasProbe && !hasAlias && ttl <= 0) throw new WireMistake("TTL must be > 0 for TTL checks");
}

function parseTimedProbe(fields: WireFields, args: readonly string[], interval: number): Probe {
  const givenTimeout = fields.milliseconds("Timeout");
  const timeout = givenTimeout > 0 ? givenTimeout : Math.min(10_000, Math.max(interval, leastInterval));
  const tls = { tlsVerify: !fields.flag("TLSSkipVerify"), tlsServerName: fields.text("TLSServerName") };
  const url = fields.text("HTTP");
  if (url !== "") {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new WireMistake(`HTTP is ${JSON.stringify(url)}; write a whole URL, as http://127.0.0.1:8080/health`);
    return {
      kind: "http",
      url,
      method: fields.text("Method") || "GET",
      headers: parseHeaders(fields),
      body: fields.text("Body"),
      followRedirects: !fields.flag("DisableRedirects"),
      ...tls,
      interval,
      timeout,
    };
  }
  const tcp = fields.text("TCP");
  if (tcp !== "")
    return { kind: "tcp", address: hostAndPort("TCP", tcp), tls: fields.flag("TCPUseTLS"), ...tls, interval, timeout };
  const udp = fields.text("UDP");
  if (udp !== "") return { kind: "udp", address: hostAndPort("UDP", udp), interval, timeout };
  return { kind: "script", args, interval, timeout: givenTimeout > 0 ? givenTimeout : 30_000 };
}

function parseHeaders(fields: WireFields): Readonly<Record<string, readonly string[]>> {
  const entries = fields.entries("Header").map(([name, value]): [string, readonly string[]] => {
    if (typeof value === "string") return [name, [value]];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      throw new WireMistake(`Header ${name} is no list of texts`);
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function hostAndPort(name: string, text: string): string {
  if (/^(.+):\d{1,5}$/.test(text)) return text;
  throw new WireMistake(`${name} is ${JSON.stringify(text)}; write HOST:PORT, as 127.0.0.1:5432`);
}

function encodeProbe(probe: Probe): object {
  switch (probe.kind) {
    case "ttl":
      return { TTL: durationText(probe.ttl) };
    case "http":
      return {
        HTTP: probe.url,
        Method: probe.method,
        Header: probe.headers,
        Body: probe.body,
        DisableRedirects: !probe.followRedirects,
        ...encodeTls(probe),
        ...encodeTimes(probe),
      };
    case "tcp":
      return { TCP: probe.address, TCPUseTLS: probe.tls, ...encodeTls(probe), ...encodeTimes(probe) };
    case "udp":
      return { UDP: probe.address, ...encodeTimes(probe) };
    case "script":
      return { Args: probe.args, ...encodeTimes(probe) };
    case "alias":
      return { AliasNode: probe.node, AliasService: probe.serviceId };
    case "maintenance":
      return { Maintenance: true };
  }
}

function encodeTls(probe: { readonly tlsVerify: boolean; readonly tlsServerName: string }): object {
  return { TLSSkipVerify: !probe.tlsVerify, TLSServerName: probe.tlsServerName };
}

function encodeTimes(probe: { readonly interval: number; readonly timeout: number }): object {
  return { Interval: durationText(probe.interval), Timeout: durationText(probe.timeout) };
}
