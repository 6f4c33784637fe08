import { createHash } from "node:crypto";

/** Which part of a cluster a source is asked of; the server's own where not given. */
export interface Scope {
  readonly datacenter?: string;
  readonly namespace?: string;
  readonly partition?: string;
}

/** What a service's instances may be like; those with one of the named states are taken. */
export type HealthFilter = "any" | "passing" | "warning" | "critical" | "maintenance";

/**
 * Something outside that a template reads, and that may change. `id` names it in messages and holds no secret; two sources
 * with one id are the same.
 */
export type Source = { readonly id: string } & (
  | { readonly kind: "key"; readonly key: string; readonly scope: Scope }
  /** All keys with a prefix. */
  | { readonly kind: "tree"; readonly prefix: string; readonly scope: Scope }
  | {
      readonly kind: "service";
      readonly name: string;
      readonly tag?: string;
      readonly near?: string;
      readonly filters: readonly HealthFilter[];
      readonly scope: Scope;
    }
  | { readonly kind: "services"; readonly scope: Scope }
  /** A node with its services; the one that is asked where there is no name. */
  | { readonly kind: "node"; readonly name?: string; readonly scope: Scope }
  | { readonly kind: "nodes"; readonly near?: string; readonly scope: Scope }
  | { readonly kind: "datacenters" }
  | { readonly kind: "secret"; readonly path: string; readonly query: Readonly<Record<string, readonly string[]>> }
  /** A secret that comes of writing. */
  | { readonly kind: "written"; readonly path: string; readonly data: Readonly<Record<string, string>> }
  /** The names of the secrets under a path. */
  | { readonly kind: "names"; readonly path: string }
  | { readonly kind: "file"; readonly path: string }
);

/** A source read from the text that a template gives, or what is wrong with the text. */
export type ParsedSource =
  | { readonly ok: true; readonly source: Source }
  | { readonly ok: false; readonly error: string };

const queryPart = String.raw`(?:\?(?<query>[\w\-=&]+))?`;
const datacenterPart = String.raw`(?:@(?<datacenter>[\w.\-]+))?`;
const nearPart = String.raw`(?:~(?<near>[\w.\-]+))?`;

const keyPattern = new RegExp(String.raw`^/?(?<name>[^@?]+)${queryPart}${datacenterPart}$`);
const servicePattern = new RegExp(
  String.raw`^(?:(?<tag>[\w=:.\-]+)\.)?(?<name>[\w\-]+)${queryPart}${datacenterPart}${nearPart}(?:\|(?<filter>[\w,]+))?$`,
);
const nodePattern = new RegExp(String.raw`^(?<name>[\w.\-]+)?${queryPart}${datacenterPart}$`);
const nodesPattern = new RegExp(String.raw`^${queryPart}${datacenterPart}${nearPart}$`);

/** `app/key`, `app/key@dc`, `app/key?ns=x@dc`. */
export function parseKeySource(text: string): ParsedSource {
  return parse(keyPattern, text, 'a key is written "app/name" or "app/name@datacenter"', ({ name = "" }, scope) => {
    return { kind: "key", id: `kv.get(${name}${scopeText(scope)})`, key: name, scope };
  });
}

/** `app/`, `app/@dc`. */
export function parseTreeSource(text: string): ParsedSource {
  return parse(keyPattern, text, 'a prefix is written "app/" or "app/@datacenter"', ({ name = "" }, scope) => {
    return { kind: "tree", id: `kv.list(${name}${scopeText(scope)})`, prefix: name, scope };
  });
}

const healthFilters: readonly HealthFilter[] = ["any", "passing", "warning", "critical", "maintenance"];

/** `tag.service@dc~near|passing,warning`. Healthy instances only, where no state is named. */
export function parseServiceSource(text: string): ParsedSource {
  const form = 'a service is written "web", "tag.web", "web@datacenter~near|passing,warning"';
  const filters: HealthFilter[] = [];
  for (const given of servicePattern.exec(text)?.groups?.filter?.split(",") ?? []) {
    const filter = healthFilters.find((known) => known === given);
    if (given !== "" && !filter) {
      return { ok: false, error: `${JSON.stringify(text)} asks for ${given}: known are ${healthFilters.join(", ")}` };
    }
    if (filter) filters.push(filter);
  }
  if (filters.length === 0) filters.push("passing");
  return parse(servicePattern, text, form, ({ name = "", tag, near }, scope) => {
    const id = `health.service(${tag ? `${tag}.` : ""}${name}${scopeText(scope)}${near ? `~${near}` : ""}|${filters.sort()})`;
    return { kind: "service", id, name, ...(tag ? { tag } : {}), ...(near ? { near } : {}), filters, scope };
  });
}

/** Nothing, or `@dc`. */
export function parseServicesSource(text: string): ParsedSource {
  const form = 'the services of another datacenter are written "@datacenter"';
  return parse(nodesPattern, text, form, (_, scope) => {
    return { kind: "services", id: `catalog.services(${scopeText(scope)})`, scope };
  });
}

/** Nothing, `name`, `name@dc`. */
export function parseNodeSource(text: string): ParsedSource {
  return parse(nodePattern, text, 'a node is written "name" or "name@datacenter"', ({ name }, scope) => {
    return { kind: "node", id: `catalog.node(${name ?? ""}${scopeText(scope)})`, ...(name ? { name } : {}), scope };
  });
}

/** Nothing, `@dc`, `@dc~near`. */
export function parseNodesSource(text: string): ParsedSource {
  const form = 'the nodes of another datacenter are written "@datacenter" or "@datacenter~near"';
  return parse(nodesPattern, text, form, ({ near }, scope) => {
    const id = `catalog.nodes(${scopeText(scope)}${near ? `~${near}` : ""})`;
    return { kind: "nodes", id, ...(near ? { near } : {}), scope };
  });
}

export const datacentersSource: Source = { kind: "datacenters", id: "catalog.datacenters" };

/** A path as people write it, with a query such as `?version=2`; with data it is written and what comes of it is read. */
export function parseSecretSource(text: string, data: Readonly<Record<string, string>> | undefined): ParsedSource {
  const [path = "", search = ""] = trimPath(text).split("?");
  if (path === "") return { ok: false, error: `${JSON.stringify(text)} is no path of a secret: write "secret/app"` };
  if (data) return { ok: true, source: { kind: "written", id: `vault.write(${path} -> ${hashOf(data)})`, path, data } };
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] = [...(query[name] ?? []), value];
  return { ok: true, source: { kind: "secret", id: `vault.read(${path}${search ? `?${search}` : ""})`, path, query } };
}

export function parseNamesSource(text: string): ParsedSource {
  const path = trimPath(text);
  if (path === "") return { ok: false, error: `${JSON.stringify(text)} is no path: write "secret/app"` };
  return { ok: true, source: { kind: "names", id: `vault.list(${path})`, path } };
}

export function fileSource(path: string): Source {
  return { kind: "file", id: `file(${path})`, path };
}

type Groups = Readonly<Record<string, string | undefined>>;

function parse(
  pattern: RegExp,
  text: string,
  form: string,
  make: (groups: Groups, scope: Scope) => Source,
): ParsedSource {
  const groups = pattern.exec(text)?.groups;
  if (!groups) return { ok: false, error: `${JSON.stringify(text)} is not understood: ${form}` };
  const scope = scopeOf(groups);
  return typeof scope === "string" ? { ok: false, error: scope } : { ok: true, source: make(groups, scope) };
}

function scopeOf({ datacenter, query }: Groups): Scope | string {
  const scope: { datacenter?: string; namespace?: string; partition?: string } = datacenter ? { datacenter } : {};
  for (const [name, value] of new URLSearchParams(query ?? "")) {
    if (name === "ns") scope.namespace = value;
    else if (name === "partition") scope.partition = value;
    else return `the parameter ${name} is not known here; known are ns and partition`;
  }
  return scope;
}

function scopeText({ datacenter, namespace, partition }: Scope): string {
  const parts = [datacenter, partition && `partition=${partition}`, namespace && `ns=${namespace}`];
  return parts.map((part) => (part ? `@${part}` : "")).join("");
}

function trimPath(text: string): string {
  return text.trim().replace(/^\/+|\/+$/g, "");
}

// What is written may be secret: the id tells two writes apart without showing them.
function hashOf(data: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
