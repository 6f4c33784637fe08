import { join, resolve } from "node:path";
import { instanceFolder } from "@millwright/engine/instances/record";
import type { VariableSource } from "@millwright/engine/variables";
import type { CommandIo } from "../io.ts";
import type { InstanceScope } from "../terraform/instance-scope.ts";
import { Session } from "../terraform/session.ts";

export interface ScopeInput {
  readonly name: string;
  readonly template: string;
  readonly inputs: readonly VariableSource[];
  readonly dependencies?: readonly string[];
  readonly listFiles: ReadonlySet<string>;
  /** The template's files as they are remembered, where they are to be used instead of what is there now. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

/** What makes a command work on one instance of the list in `listFolder`. */
export function instanceScope(listFolder: string, input: ScopeInput): InstanceScope {
  const statePath = join(instanceFolder(listFolder, input.name), "terraform.tfstate");
  return { ...input, listFolder, statePath };
}

/** The way to talk to the user about one instance, in the folder of its template. */
export function instanceSession(parent: Session, input: ScopeInput): Session {
  const scope = instanceScope(parent.folder, input);
  const folder = resolve(parent.folder, input.template);
  const io: CommandIo = { ...parent.io, cwd: folder, instance: scope };
  const { compactWarnings, json } = parent;
  const noColor = !parent.view.colour;
  const reporting = { ...parent.reporting, also: parent.reporting.also?.named(input.name) };
  const view = json ? { json: json.named(input.name) } : {};
  return new Session(io, parent.style, folder, { noColor, compactWarnings, reporting, ...view });
}
