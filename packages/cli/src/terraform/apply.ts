import { existsSync, statSync } from "node:fs";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { isKind, messageOf } from "@millwright/core/errors";
import { applyPlan } from "@millwright/engine/apply";
import type { ApplyResult } from "@millwright/engine/apply-run";
import { backendErrors } from "@millwright/engine/backend/errors";
import type { PendingCreate } from "@millwright/engine/backend/journal";
import { JournalWriter, processStart } from "@millwright/engine/backend/journal";
import type { Configuration } from "@millwright/engine/configuration";
import type { Plan } from "@millwright/engine/plan";
import { hasChanges } from "@millwright/engine/plan";
import { readPlanFile } from "@millwright/engine/plan-file";
import type { RunListener } from "@millwright/engine/ports";
import type { StateBuilder } from "@millwright/engine/state";
import { collectVariables } from "@millwright/engine/variables";
import { loadConfiguration } from "@millwright/engine/load";
import { filesOf } from "@millwright/engine/node-files";
import { describeFlags, type FlagTable, type FlagValues, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostic } from "../views/diagnostics.ts";
import { JsonView } from "../views/json-lines.ts";
import { renderOutputs } from "../views/outputs.ts";
import { renderPlan } from "../views/plan.ts";
import { progressView } from "../views/progress.ts";
import { styleOf } from "../views/style.ts";
import { ask, isInteractive } from "./ask.ts";
import { type GivenFlag, onUnlessGiven, planningFlags } from "./options.ts";
import { recoverInterrupted } from "./recover.ts";
import { builtinRegistry } from "./registry.ts";
import { planFolder, planMode } from "./run-plan.ts";
import {
  type CommandStyle,
  evaluatorContext,
  loadFolder,
  newPool,
  type OpenState,
  openState,
  runPorts,
  Session,
  stateOptions,
} from "./session.ts";

const flags = {
  ...planningFlags,
  "auto-approve": { kind: "bool", help: "Do not ask before changing anything." },
} as const satisfies FlagTable;

type Values = FlagValues<typeof flags>;

export function runApply(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("apply", args, io, style);
}

export function runDestroy(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("destroy", args, io, style);
}

/** Terraform's older name for `apply -refresh-only -auto-approve`. */
export function runRefresh(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return run("apply", ["-refresh-only", "-auto-approve", ...args], io, style);
}

async function run(
  verb: "apply" | "destroy",
  args: readonly string[],
  io: CommandIo,
  style: CommandStyle,
): Promise<number> {
  const parsed = parseFlags(flags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(help(verb, style));
    return 0;
  }
  if (parsed.kind === "mistake") {
    await io.stderr(renderDiagnostic(parsed.diagnostic, io.view));
    return 1;
  }
  const { values, occurrences } = parsed;
  const session = new Session(io, style, io.cwd, {
    noColor: values["no-color"],
    compactWarnings: values["compact-warnings"],
  });
  const refused = misuse(verb, parsed.args, values, occurrences);
  if (refused) {
    await session.report([refused]);
    return 1;
  }
  const command = new ApplyCommand(session, verb, values, occurrences);
  const [planFile] = parsed.args;
  return planFile === undefined ? command.planAndApply() : command.applySaved(planFile);
}

function misuse(
  verb: string,
  args: readonly string[],
  values: Values,
  occurrences: readonly GivenFlag[],
): Diagnostic | undefined {
  const error = (summary: string, detail: string): Diagnostic => ({ severity: "error", summary, detail });
  if (args.length > 1 || (verb === "destroy" && args.length > 0)) {
    return error(
      "Too many command line arguments",
      verb === "destroy"
        ? "destroy takes no arguments."
        : "Expected at most one positional argument: a saved plan. Use the global -chdir option to work in another folder.",
    );
  }
  if (args.length === 1 && occurrences.some(({ name }) => name === "var" || name === "var-file")) {
    return error(
      "Can't set variables when applying a saved plan",
      "The -var and -var-file options cannot be used when applying a saved plan, because a saved plan includes the variable values that were set when it was created.",
    );
  }
  if (values.json && !values["auto-approve"] && args.length === 0) {
    return error(
      "Plan file or auto-approve required",
      "With -json nobody can be asked, so apply needs -auto-approve or a saved plan.",
    );
  }
  return undefined;
}

class ApplyCommand {
  readonly #session: Session;
  readonly #verb: "apply" | "destroy";
  readonly #values: Values;
  readonly #occurrences: readonly GivenFlag[];
  readonly #json: JsonView | undefined;

  constructor(session: Session, verb: "apply" | "destroy", values: Values, occurrences: readonly GivenFlag[]) {
    this.#session = session;
    this.#verb = verb;
    this.#values = values;
    this.#occurrences = occurrences;
    this.#json = values.json ? new JsonView(session.io) : undefined;
  }

  get #events(): RunListener {
    return this.#json ? this.#json.events : progressView(this.#session, "apply");
  }

  async planAndApply(): Promise<number> {
    const session = this.#session;
    const mode = planMode(this.#values, this.#verb === "destroy");
    if (typeof mode !== "string") return this.#fail([mode]);
    const folder = await loadFolder(session);
    const state = await this.#open("OperationTypeApply");
    if (!state) return 1;
    const pool = newPool();
    let plan: Plan | undefined;
    try {
      const input = { session, folder, state, pool, values: this.#values, occurrences: this.#occurrences, mode };
      const events: RunListener = this.#json ? this.#json.events : progressView(session, "plan");
      const result = await planFolder({ ...input, events });
      plan = result.plan;
      if (plan && this.#json) this.#json.plan(plan, hasErrors(result.diagnostics));
      else if (plan) await session.io.stdout(renderPlan(plan, session.view, pool));
      if (!(await this.#report(result.diagnostics)) || !plan) return 1;
      if (!hasChanges(plan)) return await this.#finishUnchanged(state, plan);
      if (!this.#values["auto-approve"] && !(await this.#approve(plan))) return 1;
    } finally {
      await pool.close();
      if (!plan || plan.errored) state.release();
    }
    try {
      return await this.#carryOut(state, plan, folder.configuration, recoverInterrupted(state).pending);
    } finally {
      state.release();
    }
  }

  async applySaved(name: string): Promise<number> {
    const session = this.#session;
    const path = session.path(name);
    if (!existsSync(path)) {
      return this.#fail([
        {
          severity: "error",
          summary: "Failed to load plan file",
          detail: `There is no file ${name} in ${session.folder}. Save one with plan -out=${name}.`,
        },
      ]);
    }
    if (statSync(path).isDirectory()) {
      return this.#fail([
        {
          severity: "error",
          summary: "Invalid plan file",
          detail: `${name} is a folder. To apply the configuration of another folder, use the global -chdir option.`,
        },
      ]);
    }
    const saved = readPlanFile(path);
    if (saved.plan.errored) {
      return this.#fail([
        {
          severity: "error",
          summary: "Cannot apply incomplete plan",
          detail: "Planning ended with errors when this plan was made, so it is for looking at only.",
        },
      ]);
    }
    const changedProvider = this.#changedProvider(saved.providers);
    if (changedProvider) return this.#fail([changedProvider]);
    const state = await this.#open("OperationTypeApply");
    if (!state) return 1;
    try {
      const { pending, diagnostics } = recoverInterrupted(state);
      const stale = this.#stale(saved.plan, state, pending);
      if (!(await this.#report([...diagnostics, ...stale]))) return 1;
      const contribution = saved.contribution === undefined ? undefined : await this.#restoreStack(saved.contribution);
      const options = { tofuFiles: true, ...(contribution ? { contribution } : {}) };
      const loaded = loadConfiguration(filesOf(saved.files), options);
      if (!(await this.#report(loaded.diagnostics.filter((d) => d.severity === "error")))) return 1;
      return await this.#carryOut(state, saved.plan, loaded.value, pending);
    } finally {
      state.release();
    }
  }

  async #restoreStack(saved: string) {
    const { restoreStacks } = await import("./stacks.ts");
    return restoreStacks(saved);
  }

  #changedProvider(made: ReadonlyMap<string, string>): Diagnostic | undefined {
    for (const source of builtinRegistry().known()) {
      const text = `${source.host}/${source.namespace}/${source.type}`;
      const before = made.get(text);
      const now = builtinRegistry().find(source)?.version;
      if (before !== undefined && now !== before) {
        return {
          severity: "error",
          summary: "Saved plan was made with another provider version",
          detail: `The plan was made with ${text} ${before}, and ${now ?? "no version"} is here now. Make a new plan.`,
        };
      }
    }
    return undefined;
  }

  #stale(plan: Plan, { local }: OpenState, pending: readonly PendingCreate[]): Diagnostic[] {
    const { serial } = local.current;
    const other = local.current.lineage !== "" && local.current.lineage !== plan.lineage;
    if (other) {
      return [
        {
          severity: "error",
          summary: "Saved plan does not match the given state",
          detail: `The plan was made for another state: its lineage is ${plan.lineage}, and that of ${local.path} is ${local.current.lineage}. Nothing was changed. Make a new plan.`,
        },
      ];
    }
    if (serial !== plan.serial) {
      return [
        {
          severity: "error",
          summary: "Saved plan is stale",
          detail: `The given plan file can no longer be applied because the state was changed by another operation after the plan was created (the plan is of serial ${plan.serial}, the state is at ${serial}). Nothing was changed. Make a new plan.`,
        },
      ];
    }
    const open = pending.filter((entry) => !plan.settled.includes(entry.address));
    return open.map((entry) => ({
      severity: "error",
      summary: "Saved plan is stale",
      detail: `A run after this plan was killed while it created ${entry.address}. Make a new plan, which looks for it.`,
      address: entry.address,
    }));
  }

  async #open(operation: string): Promise<OpenState | undefined> {
    return openState(this.#session, stateOptions(this.#values, this.#occurrences, operation));
  }

  async #report(diagnostics: readonly Diagnostic[]): Promise<boolean> {
    if (!this.#json) return this.#session.report(diagnostics);
    this.#json.diagnostics(diagnostics);
    return !hasErrors(diagnostics);
  }

  async #fail(diagnostics: readonly Diagnostic[]): Promise<number> {
    await this.#report(diagnostics);
    return 1;
  }

  async #approve(plan: Plan): Promise<boolean> {
    const { io, view, style } = this.#session;
    const bold = styleOf(view).bold;
    const name = style === "terraform" ? "Terraform" : "Millwright";
    const question =
      plan.mode === "destroy"
        ? `${bold("Do you really want to destroy all resources?")}\n  ${name} will destroy all your managed infrastructure, as shown above.\n  There is no undo. Only 'yes' will be accepted to confirm.`
        : plan.mode === "refresh-only"
          ? `${bold("Would you like to update the state to reflect these detected changes?")}\n  ${name} will write these changes to the state without modifying any real infrastructure.\n  There is no undo. Only 'yes' will be accepted to confirm.`
          : `${bold("Do you want to perform these actions?")}\n  ${name} will perform the actions described above.\n  Only 'yes' will be accepted to approve.`;
    if (
      !onUnlessGiven(this.#occurrences, "input") ||
      io.env.TF_INPUT === "0" ||
      (!isInteractive(io) && io.stdin.readableEnded)
    ) {
      await this.#session.report([
        {
          severity: "error",
          summary: "Nobody to ask",
          detail:
            "Changes need a yes, and with -input=false nobody is asked. Give -auto-approve, or apply a saved plan.",
        },
      ]);
      return false;
    }
    const answer = await ask(io, `\n${question}\n\n  ${bold("Enter a value:")} `);
    await io.stdout("\n");
    if (answer?.trim() === "yes") return true;
    await io.stdout(`\n${plan.mode === "destroy" ? "Destroy" : "Apply"} cancelled. Nothing was changed.\n`);
    return false;
  }

  async #finishUnchanged(state: OpenState, plan: Plan): Promise<number> {
    if (JSON.stringify(plan.settled) !== "[]") state.local.write(plan.priorState);
    if (this.#json)
      this.#json.applied({ added: 0, changed: 0, destroyed: 0 }, plan.mode, state.local.current.state.outputs);
    else await this.#sayDone({ added: 0, changed: 0, destroyed: 0 }, state);
    return 0;
  }

  async #carryOut(
    state: OpenState,
    plan: Plan,
    configuration: Configuration,
    pending: readonly PendingCreate[],
  ): Promise<number> {
    const session = this.#session;
    const { local } = state;
    const given = [...plan.variables].map(([name, value]) => ({ kind: "value", name, value }) as const);
    const variables = collectVariables(configuration.root, given);
    if (!(await this.#report(variables.diagnostics.filter((d) => d.severity === "error")))) return 1;
    const header = {
      lineage: local.lineage,
      serial: plan.serial,
      pid: process.pid,
      processStart: processStart(process.pid) ?? "",
      started: new Date().toISOString(),
    };
    const open = pending.filter((entry) => !plan.settled.includes(entry.address));
    const journal = new JournalWriter(local.path, header, open);
    const pool = newPool();
    let savedAt = performance.now();
    // A long run saves on the way, so that others see where it is; what is not saved yet is in the journal.
    const onState = (builder: StateBuilder) => {
      if (performance.now() - savedAt < saveEvery) return;
      savedAt = performance.now();
      this.#saveOnTheWay(state, builder);
    };
    let result: ApplyResult;
    try {
      const context = evaluatorContext(session, {
        configuration,
        variables: variables.value.final,
        applying: true,
        timestamp: plan.timestamp,
      });
      result = await applyPlan({
        plan,
        context,
        pool,
        ports: runPorts(session, this.#events),
        recorder: journal,
        parallelism: this.#values.parallelism ?? 10,
        onState,
      });
    } catch (error) {
      journal.leave();
      throw error;
    } finally {
      await pool.close();
    }
    const failure = this.#save(state, result, journal, open, header);
    const ok = await this.#report([...result.diagnostics, ...failure]);
    if (this.#json) this.#json.applied(result.counts, plan.mode, result.state.outputs);
    else if (ok) await this.#sayDone(result.counts, state);
    else if (result.counts.added + result.counts.changed + result.counts.destroyed > 0)
      await this.#sayPartial(result.counts);
    return ok && result.complete ? 0 : 1;
  }

  #saveOnTheWay({ local }: OpenState, builder: StateBuilder): void {
    try {
      local.write(builder.snapshot());
    } catch (error) {
      // The journal has it all; the end of the run saves again and says so when it cannot.
      if (!isKind(error, backendErrors.stateUnwritable)) throw error;
    }
  }

  #save(
    { local }: OpenState,
    result: ApplyResult,
    journal: JournalWriter,
    pending: readonly PendingCreate[],
    header: ConstructorParameters<typeof JournalWriter>[1],
  ): Diagnostic[] {
    try {
      local.write(result.state);
      journal.finish(pending, header);
      return [];
    } catch (error) {
      if (!isKind(error, backendErrors.stateUnwritable)) throw error;
      journal.leave();
      return [this.#saveElsewhere(local, result, error)];
    }
  }

  #saveElsewhere(local: OpenState["local"], result: ApplyResult, error: unknown): Diagnostic {
    const summary = "Failed to save state";
    try {
      const path = local.writeErrored(result.state);
      return {
        severity: "error",
        summary,
        detail: `${messageOf(error)}\n\nThe state after this run has been written to ${path}. Make the state writable again; the next run takes the changes in from the journal beside it, or push the file with: state push errored.tfstate`,
      };
    } catch (second) {
      return {
        severity: "error",
        summary,
        detail: `${messageOf(error)}\n\nNor could errored.tfstate be written (${messageOf(second)}). The journal beside the state has every change of this run: make room, leave it where it is, and run plan, which takes it in.`,
      };
    }
  }

  async #sayDone(counts: ApplyResult["counts"], { local }: OpenState): Promise<void> {
    const { io, view } = this.#session;
    const style = styleOf(view);
    const text =
      this.#verb === "destroy"
        ? `Destroy complete! Resources: ${counts.destroyed} destroyed.`
        : `Apply complete! Resources: ${counts.added} added, ${counts.changed} changed, ${counts.destroyed} destroyed.`;
    await io.stdout(`\n${style.green(style.bold(text))}\n`);
    const { outputs } = local.current.state;
    if (outputs.size > 0) await io.stdout(`\n${style.green("Outputs:")}\n\n${renderOutputs(outputs)}`);
  }

  async #sayPartial({ added, changed, destroyed }: ApplyResult["counts"]): Promise<void> {
    await this.#session.io.stdout(
      `\nWhat was done before the errors is in the state: ${added} added, ${changed} changed, ${destroyed} destroyed.\n`,
    );
  }
}

/** The state is saved on the way at most this often, in milliseconds. */
const saveEvery = 20_000;

function help(verb: "apply" | "destroy", style: CommandStyle): string {
  const what =
    verb === "apply"
      ? `Usage: ${style} apply [flags] [PLAN]

Carries out a saved plan without a question, and refuses when the world has
moved since. Without one, plans first, shows the plan, and asks.

Example: ${style} apply change.plan
`
      : `Usage: ${style} destroy [flags]

Plans to remove everything that the state holds, shows the plan, and asks.

Example: ${style} destroy -target=consul_key_prefix.old
`;
  return `${what}\n${describeFlags(flags)}`;
}
