import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { messageOf } from "@millwright/core/errors";
import { importedConfigs, type ImportedConfig } from "@millwright/engine/imported-configs";
import { collectVariables } from "@millwright/engine/variables";
import { type LoadedFolder, loadFolder } from "./folder.ts";
import { variableSources } from "./variable-sources.ts";
import type { OpenState } from "./open-state.ts";
import type { GivenFlag } from "./options.ts";
import { evaluatorContext, newPool } from "./run-context.ts";
import { programName } from "./program-name.ts";
import type { Session } from "./session.ts";

/** A folder with the configuration that was written for it, and that by instance. */
export interface GeneratedConfig {
  readonly folder: LoadedFolder;
  readonly generated: ReadonlyMap<string, string>;
}

interface Wish {
  readonly session: Session;
  readonly folder: LoadedFolder;
  readonly state: OpenState;
  readonly occurrences: readonly GivenFlag[];
  /** As given on the command line; nothing is written without it. */
  readonly out: string | undefined;
}

/**
 * Writes configuration for what import blocks name and nothing declares into a new file, and takes it into the folder.
 * Undefined where that is not possible, which was reported.
 */
export async function generateConfig(wish: Wish): Promise<GeneratedConfig | undefined> {
  const { session, folder, state, occurrences, out } = wish;
  const unchanged = { folder, generated: new Map<string, string>() };
  if (out === undefined || hasErrors(folder.diagnostics)) return unchanged;
  const path = session.path(out);
  if (existsSync(path)) return refuse(session, "Target generated file already exists", taken(out));
  if (!existsSync(dirname(path)))
    return refuse(session, "Failed to write generated config", `There is no folder ${dirname(path)}: make it first.`);
  const { sources, diagnostics } = variableSources(session, occurrences);
  const { configuration } = folder;
  const variables = collectVariables(configuration.root, sources);
  // What is wrong with these the plan says.
  if (hasErrors([...diagnostics, ...variables.diagnostics])) return unchanged;
  const pool = await newPool(session);
  try {
    const values = { configuration, variables: variables.value.final, applying: false };
    const context = evaluatorContext(session, values);
    const { value: configs, diagnostics: found } = await importedConfigs(context, state.kept.current.state, pool);
    if (!(await session.report(found.filter((d) => d.severity === "error")))) return undefined;
    if (configs.length === 0) return unchanged;
    const text = fileText(session, configs);
    writeFileSync(path, text);
    const name = dirname(path) === session.folder && path.endsWith(".tf") ? basename(path) : "generated_config.tf";
    const added = { name, bytes: new TextEncoder().encode(text) };
    const generated = new Map(configs.map((config) => [config.address, config.text] as const));
    return { folder: await loadFolder(session, occurrences, added), generated };
  } catch (error) {
    return refuse(session, "Failed to write generated config", messageOf(error));
  } finally {
    await pool.close();
  }
}

async function refuse(session: Session, summary: string, detail: string): Promise<undefined> {
  await session.report([errorDiagnostic(summary, detail)]);
  return undefined;
}

const taken = (file: string) =>
  `Generated configuration goes into a new file only, and ${file} is there already. Choose another file, or move what is in it elsewhere and delete it.`;

function fileText({ style }: Session, configs: readonly ImportedConfig[]): string {
  const by = programName(style);
  const blocks = configs.map(({ from, text }) => `\n# __generated__ by ${by} from ${from}\n${text}\n`);
  const head = `# __generated__ by ${by}\n# Please review these resources and move them into your main configuration files.\n`;
  return head + blocks.join("");
}
