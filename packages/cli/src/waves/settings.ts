import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { readSizes, usualSizes, type WaveSize } from "@millwright/engine/waves/sizes";
import type { Refusal } from "@millwright/gates/gate";
import {
  type GateSettings,
  type GateSpec,
  isObjective,
  isWebAddress,
  type Probing,
  readStatuses,
  usual,
  usualGate,
} from "@millwright/gates/gate-spec";
import type { HttpProbe } from "@millwright/gates/http-gate";
import type { Block, Node } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { parseFile } from "@millwright/hcl/parse";
import type { Scope } from "@millwright/hcl/scope";
import { rangeOf, type SourceFile } from "@millwright/hcl/source-file";
import { objectValue, stringValue } from "@millwright/value/value";
import { budgetSources, gateFields } from "./gate-fields.ts";
import { readFields } from "./read-fields.ts";

/** How a folder's changes are carried out in waves: what its `waves.hcl` says. */
export interface WaveSettings extends GateSettings {
  readonly sizes: readonly WaveSize[];
}

/** Where nothing is said: the conditions of the change itself are the only gate. */
export const usualWaves: WaveSettings = { sizes: usualSizes, patience: usual.patience, gates: [usualGate] };

/** Reads `waves.hcl`. In it `env.NAME` is a variable of the environment. */
export function readWaveSettings(
  file: SourceFile,
  env: Readonly<Record<string, string | undefined>>,
): Diagnosed<WaveSettings> {
  const { value: body, diagnostics: faults } = parseFile(file);
  const diagnostics: Diagnostic[] = [...faults];
  const content = contentOf(body, {
    attributes: [],
    blocks: [
      { type: "waves", labelNames: [] },
      { type: "gate", labelNames: ["kind", "name"] },
    ],
  });
  diagnostics.push(...content.diagnostics);
  const reader = new Reader(env, diagnostics);
  const general = content.value.blocks.filter(({ type }) => type === "waves");
  if (general[1]) diagnostics.push(twice("waves", general[1].header));
  const { sizes, patience } = general[0] ? reader.general(general[0]) : usualWaves;
  const gates: GateSpec[] = [];
  for (const block of content.value.blocks.filter(({ type }) => type === "gate")) {
    const gate = reader.gate(block);
    if (gate && gates.some(({ name }) => name === gate.name))
      diagnostics.push(twice(`gate "${gate.name}"`, block.header));
    if (gate) gates.push(gate);
  }
  const all = gates.some(({ kind }) => kind === "conditions") ? gates : [usualGate, ...gates];
  return { value: hasErrors(diagnostics) ? usualWaves : { sizes, patience, gates: all }, diagnostics };
}

class Reader {
  readonly #scope: Scope;
  readonly #diagnostics: Diagnostic[];

  constructor(env: Readonly<Record<string, string | undefined>>, diagnostics: Diagnostic[]) {
    const given = Object.entries(env).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, stringValue(text)] as const],
    );
    this.#scope = { variables: new Map([["env", objectValue(given)]]) };
    this.#diagnostics = diagnostics;
  }

  general({ body }: Block): Pick<WaveSettings, "sizes" | "patience"> {
    const read = this.#fields(body, { sizes: "texts", patience: "duration" });
    if (!read) return usualWaves;
    const { sizes, patience = usualWaves.patience } = read.values as { sizes?: readonly string[]; patience?: number };
    if (!sizes) return { sizes: usualSizes, patience };
    const { value, diagnostics } = readSizes(sizes.join(","));
    const subject = rangeOf(read.content.attributes.get("sizes")!.expression);
    this.#diagnostics.push(...diagnostics.map((one) => ({ ...one, subject })));
    return { sizes: value, patience };
  }

  gate(block: Block): GateSpec | undefined {
    const [kind = "", name = ""] = block.labels;
    if (!isKind(kind)) {
      const near = similar(kind, Object.keys(gateFields));
      const detail = `There is no gate of the kind "${kind}". ${near ? `Did you mean "${near}"?` : `The kinds are ${Object.keys(gateFields).join(", ")}.`}`;
      this.#refuse("Unknown kind of gate", detail, block.labelNodes[0] ?? block.header);
      return undefined;
    }
    const blocks = kind === "budget" ? Object.keys(budgetSources).map((type) => ({ type, labelNames: [] })) : [];
    const read = this.#fields(block.body, gateFields[kind], blocks);
    if (!read) return undefined;
    const { values } = read;
    const refusal = this.#refusal(values.otherwise, block);
    if (!refusal) return undefined;
    if (kind === "conditions") return { kind, name, refusal };
    if (kind === "budget") return this.#budget(block, name, refusal, values, read.content.blocks);
    const common = { name, refusal, ...probingOf(values) };
    if (kind === "command") return this.#command(block, values, common);
    if (kind === "service") {
      const {
        service,
        least = usual.least,
        most_unhealthy: mostUnhealthy = usual.mostUnhealthy,
      } = values as {
        service: string;
        least?: number;
        most_unhealthy?: number;
      };
      const { tag, address } = values as { tag?: string; address?: string };
      const optional = { ...(tag === undefined ? {} : { tag }), ...(address === undefined ? {} : { address }) };
      return { kind, ...common, service: { service, least, mostUnhealthy, ...optional } };
    }
    const probe = this.#http(block, values);
    return probe && { kind, ...common, probe };
  }

  #command(block: Block, values: Readonly<Record<string, unknown>>, common: Probing): GateSpec | undefined {
    const { command, timeout = usual.commandTimeout } = values as { command: readonly string[]; timeout?: number };
    if (command.length > 0) return { kind: "command", ...common, command, timeout };
    this.#refuse("No command", 'A command gate runs a program: command = ["./smoke.sh", "--quick"].', block.header);
    return undefined;
  }

  #budget(
    block: Block,
    name: string,
    refusal: Refusal,
    values: Readonly<Record<string, unknown>>,
    sources: readonly Block[],
  ): GateSpec | undefined {
    const {
      objective,
      window = usual.window,
      most = usual.most,
    } = values as {
      objective: number;
      window?: number;
      most?: number;
    };
    if (!isObjective(objective)) {
      this.#refuse(
        "Unsuitable value",
        '"objective" is the share of what must go well, above 0 and at most 1: 0.999.',
        block.header,
      );
      return undefined;
    }
    const [source, second] = sources;
    if (!source || second) {
      const detail =
        "A budget is read in one place: give it one block, prometheus { address, query } or probe { url }.";
      this.#refuse("Budget without a source", detail, block.header);
      return undefined;
    }
    const common = { kind: "budget", name, refusal, objective, window, most } as const;
    const read = this.#fields(source.body, budgetSources[source.type as keyof typeof budgetSources]);
    if (!read) return undefined;
    if (source.type === "prometheus") {
      const {
        address,
        query,
        timeout = usual.queryTimeout,
      } = read.values as {
        address: string;
        query: string;
        timeout?: number;
      };
      if (!this.#isUrl(address, source)) return undefined;
      return { ...common, source: { kind: "prometheus", address, query, timeout } };
    }
    const probe = this.#http(source, read.values);
    const { every = usual.probeInterval } = read.values as { every?: number };
    return probe && { ...common, source: { kind: "probe", probe, interval: every } };
  }

  #http(block: Block, values: Readonly<Record<string, unknown>>): HttpProbe | undefined {
    const {
      url,
      method = usual.method,
      headers = {},
      status = usual.statuses,
      contains,
      timeout = usual.httpTimeout,
    } = values as {
      url: string;
      method?: string;
      headers?: Readonly<Record<string, string>>;
      status?: string;
      contains?: string;
      timeout?: number;
    };
    const statuses = readStatuses(status);
    if (!statuses) {
      this.#refuse("Unsuitable value", '"status" is the statuses that are good: "200", or "200-399".', block.header);
      return undefined;
    }
    if (!this.#isUrl(url, block)) return undefined;
    const wanted = contains === undefined ? {} : { contains };
    return { url, method, headers, statuses, timeout, ...wanted };
  }

  #isUrl(text: string, block: Block): boolean {
    if (isWebAddress(text)) return true;
    this.#refuse("Unsuitable value", "This is not an address that begins with http:// or https://.", block.header);
    return false;
  }

  #refusal(otherwise: unknown, block: Block): Refusal | undefined {
    if (otherwise === undefined || otherwise === "stop" || otherwise === "back") return otherwise ?? "stop";
    const detail =
      '"otherwise" is what a gate that is against the next wave asks for: "stop" (leave it as it is), or "back" (take back what was done).';
    this.#refuse("Unsuitable value", detail, block.header);
    return undefined;
  }

  #fields(
    body: Block["body"],
    fields: Parameters<typeof readFields>[1],
    blocks: readonly { readonly type: string; readonly labelNames: readonly string[] }[] = [],
  ): ReturnType<typeof readFields> {
    return readFields(body, fields, { scope: this.#scope, diagnostics: this.#diagnostics, blocks });
  }

  #refuse(summary: string, detail: string, node: Node): void {
    this.#diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(node) }));
  }
}

function isKind(text: string): text is GateSpec["kind"] {
  return Object.hasOwn(gateFields, text);
}

function probingOf(values: Readonly<Record<string, unknown>>): Pick<Probing, "holds" | "grace" | "interval"> {
  const {
    for: holds = usual.holds,
    within: grace = usual.grace,
    every: interval = usual.interval,
  } = values as Record<string, number | undefined>;
  return { holds, grace, interval };
}

function twice(what: string, node: Node): Diagnostic {
  return errorDiagnostic("Said twice", `There is a ${what} already.`, { subject: rangeOf(node) });
}
