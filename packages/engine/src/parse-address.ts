import type { InstanceAddress, InstanceKey, ModuleInstance, ResourceMode } from "./addresses.ts";
import { childModule, instanceAddress, rootModule } from "./addresses.ts";

/** What an address on a command line names. */
export type ParsedAddress =
  | { readonly kind: "module"; readonly module: ModuleInstance }
  /** `keyGiven` tells a whole resource (`aws_thing.a`) from the one instance of a single one. */
  | { readonly kind: "instance"; readonly address: InstanceAddress; readonly keyGiven: boolean };

const name = String.raw`[\p{L}_][\p{L}\p{N}_-]*`;
const quotedKey = String.raw`"(?:[^"\\\n\r]|\\[nrt"\\]|\\u[0-9a-fA-F]{4}|\\U(?:000[0-9a-fA-F]|0010)[0-9a-fA-F]{4})*"`;
const key = String.raw`\[(?:(0|[1-9]\d{0,14})|(${quotedKey}))\]`;
const moduleStep = new RegExp(`^module\\.(${name})(?:${key})?(?:\\.(?!$)|$)`, "u");
const resource = new RegExp(`^(?:(data|ephemeral|resource)\\.)?(${name})\\.(${name})(?:${key})?$`, "u");

/** Reads a module, resource or instance address; undefined where it is none. */
export function parseAddress(text: string): ParsedAddress | undefined {
  const split = splitModule(text);
  if (!split) return undefined;
  const { module, rest } = split;
  if (rest === "") return module.steps.length === 0 ? undefined : { kind: "module", module };
  const match = resource.exec(rest);
  if (!match) return undefined;
  const mode: ResourceMode = match[1] === "data" || match[1] === "ephemeral" ? match[1] : "managed";
  const instanceKey = keyOf(match[4], match[5]);
  const address = instanceAddress(module, { mode, type: match[2]!, name: match[3]! }, instanceKey);
  return { kind: "instance", address, keyGiven: instanceKey !== undefined };
}

/** Reads `module.a["x"].module.b[0]` (empty for the root); undefined where it is not of that form. */
export function parseModuleInstance(text: string): ModuleInstance | undefined {
  const split = splitModule(text);
  return split && split.rest === "" ? split.module : undefined;
}

function splitModule(text: string): { readonly module: ModuleInstance; readonly rest: string } | undefined {
  let module = rootModule;
  let rest = text;
  for (let match = moduleStep.exec(rest); match; match = moduleStep.exec(rest)) {
    module = childModule(module, match[1]!, keyOf(match[2], match[3]));
    rest = rest.slice(match[0].length);
  }
  return rest.startsWith("module.") ? undefined : { module, rest };
}

function keyOf(number: string | undefined, quoted: string | undefined): InstanceKey {
  if (number !== undefined) return Number(number);
  return quoted === undefined ? undefined : unquoteKey(quoted);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

// The reverse of how instance keys are printed. Doubled template openings first: what an escape stands for is never one.
function unquoteKey(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/([$%])\1(?=\{)/g, "$1")
    .replace(/\\(?:u(.{4})|U(.{8})|(.))/g, (_, short?: string, long?: string, letter?: string) =>
      letter === undefined ? String.fromCodePoint(Number.parseInt(short ?? long!, 16)) : escapes[letter]!,
    );
}
