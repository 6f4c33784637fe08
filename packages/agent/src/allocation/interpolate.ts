import type { NodeFacts } from "./host.ts";

/** What a reference in a job can name on a node. */
export interface Names {
  /** The task's environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly node: NodeFacts;
  /** As the files of 2016 wrote them: `JOB`, `TASKGROUP`, `TASK`, `ALLOC_INDEX` … */
  readonly owner: Readonly<Record<string, string>>;
}

/**
 * A text with its references replaced: `${NOMAD_PORT_http}` and any other variable of the task's environment, `${env["HOME"]}`,
 * `${attr.kernel.name}`, `${meta.rack}`, `${node.unique.id}`, and the names of 2016, those also without braces (`$TASKGROUP`). What
 * names nothing stays as it is.
 */
export function interpolate(text: string, names: Names): string {
  return text.replaceAll(reference, (all: string, braced: string | undefined, bare: string | undefined) => {
    if (bare !== undefined) return own(names.owner, bare) ?? all;
    return valueOf(braced ?? "", names) ?? all;
  });
}

/** All texts in a value, of whatever shape. */
export function interpolateAll<T>(value: T, names: Names): T {
  return replaced(value, names) as T;
}

const reference = /\$\{\s*([^{}]+?)\s*\}|\$(JOB|TASKGROUP|TASK|BASE|ALLOC_INDEX|ALLOC_ID)\b/g;
const indexed = /^(env|attr|meta)(?:\[\s*"([^"]*)"\s*\]|\.(.+))$/;

function valueOf(name: string, { environment, node, owner }: Names): string | undefined {
  const [, kind, quoted, dotted] = indexed.exec(name) ?? [];
  const key = quoted ?? dotted ?? "";
  if (kind === "env") return own(environment, key);
  if (kind === "attr") return own(node.attributes, key);
  if (kind === "meta") return own(node.meta, key);
  return own(nodeNames(node), name) ?? own(environment, name) ?? own(owner, name);
}

function nodeNames(node: NodeFacts): Readonly<Record<string, string>> {
  return {
    "node.unique.id": node.id,
    "node.unique.name": node.name,
    "node.datacenter": node.datacenter,
    "node.region": node.region,
    "node.class": node.nodeClass,
    "node.pool": node.pool,
  };
}

function own(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function replaced(value: unknown, names: Names): unknown {
  if (typeof value === "string") return interpolate(value, names);
  if (Array.isArray(value)) return value.map((one) => replaced(one, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [interpolate(name, names), replaced(part, names)]),
  );
}
