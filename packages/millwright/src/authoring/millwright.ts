import { invariant } from "@millwright/core/errors";
import type { Api } from "./api.ts";

export type {
  AnyInput,
  Api,
  Blocks,
  Counted,
  DataTypes,
  Each,
  Input,
  InstanceTemplates,
  Known,
  Lifecycle,
  NestedBlocks,
  Options,
  ProviderConfig,
  Ref,
  ResourceTypes,
  Rule,
  TemplateOf,
  TypeOf,
  Untyped,
  UntypedRef,
} from "./api.ts";

// A stack is run by `millwright plan`, which puts the program's own functions in place of these.
function outside(): never {
  invariant(false, 'a stack is run by "millwright plan", not by itself');
}

export const blocks: Api["blocks"] = outside;
export const call: Api["call"] = outside;
export const data: Api["data"] = outside;
export const derive: Api["derive"] = outside;
export const instance: Api["instance"] = outside;
export const json: Api["json"] = outside;
export const local: Api["local"] = outside;
export const module: Api["module"] = outside;
export const output: Api["output"] = outside;
export const provider: Api["provider"] = outside;
export const ref: Api["ref"] = outside;
export const resource: Api["resource"] = outside;
export const terraform: Api["terraform"] = outside;
export const variable: Api["variable"] = outside;
export const when: Api["when"] = outside;
