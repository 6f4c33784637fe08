import { readFileSync } from "node:fs";
import { planJson } from "@millwright/engine/plan-json";
import { stateJson } from "@millwright/engine/state-json";
import { isPlanFile } from "@millwright/engine/plan-file";
import { readStateFile } from "@millwright/engine/read-state-file";
import { withDefaultRegistry } from "@millwright/engine/tofu-registry";
import { isEmptyState, type State } from "@millwright/engine/state";
import { sourcesOf } from "@millwright/engine/provider-sources";
import type { CommandIo } from "../io.ts";
import { renderPlan } from "../views/plan.ts";
import { renderState } from "../views/state.ts";
import { runCommand } from "./command.ts";
import { readState } from "./open-state.ts";
import { isEncrypted, readSavedPlan } from "./plan-files.ts";
import { viewFlags } from "./options.ts";
import { withPool } from "./run-context.ts";
import { badWhy, sayWhy, whyFlags, whyOfNoPlan } from "./why.ts";
import { whyJson } from "@millwright/engine/why-json";
import { whyReports } from "@millwright/engine/why";
import type { CommandStyle, Session } from "./session.ts";
import { whyNoFile } from "./why-no-file.ts";
import { savedConfiguration } from "./saved-configuration.ts";

export function runShow(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json, "no-color": viewFlags["no-color"], ...whyFlags },
      usage: "show [flags] [PATH]",
      about:
        "Shows a saved plan or a state file; without a path the state of the folder.\nWith -json in Terraform's documented formats, which hold sensitive values in clear.",
      example: "show -json change.plan",
      arguments: [0, 1],
      run: async ({ session, values, args: [path] }) => {
        const wrong = badWhy(values.why);
        if (wrong) {
          await session.report([wrong]);
          return 1;
        }
        if (path === undefined && values.why.length > 0) {
          await session.report([whyOfNoPlan]);
          return 1;
        }
        if (path === undefined) {
          const open = await readState(session, undefined);
          return open ? showState(session, open.kept.current.state, open.kept.current.lineage === "", values.json) : 1;
        }
        const file = session.path(path);
        const unreadable = whyNoFile(session, path);
        if (unreadable !== undefined)
          return session.refuse("Failed to read the given file as a state or plan file", unreadable);
        const bytes = readFileSync(file);
        if (isPlanFile(bytes) || bytes[0] === 0x50) return showPlan(session, file, values.json, values.why);
        if (isEncrypted(bytes)) return showEncrypted(session, file, path, values);
        const read = readStateFile(bytes.toString("utf8"), path);
        const state = withDefaultRegistry(read.value.state, () => new Set());
        return (await session.report(read.diagnostics)) ? showState(session, state, false, values.json) : 1;
      },
    },
    args,
    io,
    style,
  );
}

/** A file that is encrypted is a state, which has its lineage beside what is encrypted, or a plan. */
async function showEncrypted(
  session: Session,
  file: string,
  name: string,
  { json, why }: { readonly json: boolean; readonly why: readonly string[] },
): Promise<number> {
  if (!readFileSync(file).includes('"lineage"')) return showPlan(session, file, json, why);
  const open = await readState(session, name);
  return open ? showState(session, open.kept.current.state, false, json) : 1;
}

async function showPlan(session: Session, path: string, json: boolean, why: readonly string[]): Promise<number> {
  const saved = await readSavedPlan(session, path);
  if (!saved) return 1;
  return withPool(session, async (pool) => {
    const { value: configuration } = await savedConfiguration(session, { ...saved, variables: saved.plan.variables });
    await pool.load(sourcesOf(configuration, saved.plan.priorState));
    if (why.length > 0 && !json) await sayWhy(session, saved.plan, configuration, why);
    else if (why.length > 0) {
      const reports = why.flatMap((address) => whyReports(saved.plan, configuration, address));
      await session.io.stdout(`${JSON.stringify({ format_version: "1.0", why: whyJson(reports) })}\n`);
    } else if (json) await session.io.stdout(`${JSON.stringify(await planJson(saved.plan, configuration, pool))}\n`);
    else await session.io.stdout(renderPlan(saved.plan, session.view, pool));
    return 0;
  });
}

async function showState(session: Session, state: State, missing: boolean, json: boolean): Promise<number> {
  return withPool(session, async (pool) => {
    if (json)
      await session.io.stdout(
        `${JSON.stringify(missing || isEmptyState(state) ? { format_version: "1.0" } : await stateJson(state, pool))}\n`,
      );
    else if (missing) await session.io.stdout("No state.\n");
    else await session.io.stdout(await renderState(state, pool, session.view));
    return 0;
  });
}
