import type { Diagnostic } from "@millwright/core/diagnostics";
import { resourceText } from "@millwright/engine/addresses";
import type { ApplyResult } from "@millwright/engine/apply-run";
import { parseAddress } from "@millwright/engine/parse-address";
import type { Deferral, InstanceChange, Plan, PlanCounts, PlanMode } from "@millwright/engine/plan";
import { countChanges, isChange } from "@millwright/engine/plan";
import type { EphemeralAction, ProvisionEvent, RunAction, RunEvent } from "@millwright/engine/ports";
import { servedTerraformVersion } from "@millwright/engine/provider-pool";
import type { OutputState } from "@millwright/engine/state";
import { knownPlain } from "@millwright/engine/values-json";
import { noteText } from "@millwright/provider/plan-note";
import { toPlain } from "@millwright/value/json";
import { typeToPlain } from "@millwright/value/type-json";
import type { CommandIo } from "../io.ts";
import { deferralText } from "./deferrals.ts";
import { diagnosticPlain } from "./diagnostic-json.ts";
import { sourcesIn, type SourceText } from "./diagnostics.ts";
import { keyOf, StillGoing } from "./still-going.ts";

/**
 * What a run tells as JSON, an object a line: the machine-readable UI of Terraform, version 1.2.
 * Source: Terraform's documentation of its machine-readable UI.
 */
export class JsonView {
  readonly #io: CommandIo;

  readonly #going = new StillGoing();
  readonly #sources: SourceText;
  /** What every line says beside its own. */
  readonly #always: Readonly<Record<string, string>>;

  /** The program's version is its first line. With an instance, every line names that, and the version is left to the view around it. */
  constructor(io: CommandIo, sources: SourceText, instance?: string) {
    this.#io = io;
    this.#sources = sources;
    this.#always = instance === undefined ? {} : { instance };
    if (instance !== undefined) return;
    this.#line("info", `Terraform ${servedTerraformVersion}`, "version", {
      terraform: servedTerraformVersion,
      ui: "1.2",
    });
  }

  /** The same, with the name of an instance in every line. */
  named(instance: string): JsonView {
    return new JsonView(this.#io, this.#sources, instance);
  }

  readonly events = (event: RunEvent): void => {
    const resource = resourceOf(event.address);
    const known = "id" in event ? event.id : undefined;
    const id = known === undefined ? {} : idParts(known);
    const tail = known === undefined ? "" : ` [${known}]`;
    switch (event.kind) {
      case "refresh-start":
        return this.#line("info", `${event.address}: Refreshing state...${tail}`, "refresh_start", {
          hook: { resource, ...id },
        });
      case "refresh-done":
        return this.#line("info", `${event.address}: Refresh complete${tail}`, "refresh_complete", {
          hook: { resource, ...id },
        });
      case "apply-start":
        this.#going.begin(keyOf(event), (seconds) => {
          const still = `Still ${event.action === "read" ? "reading" : doing[event.action].toLowerCase()}`;
          this.#line("info", `${event.address}: ${still}... [${seconds}s elapsed]`, "apply_progress", {
            hook: { resource, action: event.action, elapsed_seconds: seconds },
          });
        });
        return this.#line("info", `${event.address}: ${doing[event.action]}...${tail}`, "apply_start", {
          hook: { resource, action: event.action, ...id },
        });
      case "apply-done": {
        this.#going.end(keyOf(event));
        const elapsed = Math.round(event.seconds);
        return this.#line(
          "info",
          `${event.address}: ${done[event.action]} complete after ${elapsed}s${tail}`,
          "apply_complete",
          { hook: { resource, action: event.action, ...id, elapsed_seconds: elapsed } },
        );
      }
      case "apply-failed": {
        this.#going.end(keyOf(event));
        const elapsed = Math.round(event.seconds);
        return this.#line(
          "info",
          `${event.address}: ${done[event.action]} errored after ${elapsed}s`,
          "apply_errored",
          { hook: { resource, action: event.action, elapsed_seconds: elapsed } },
        );
      }
      case "ephemeral-start":
        return this.#line("info", `${event.address}: ${opening[event.action][0]}...`, "ephemeral_action_started", {
          hook: { resource, action: event.action },
        });
      case "ephemeral-done":
        return this.#line(
          "info",
          `${event.address}: ${opening[event.action][1]} complete`,
          "ephemeral_action_complete",
          {
            hook: { resource, action: event.action },
          },
        );
      case "provision-start":
      case "provision-output":
      case "provision-done":
      case "provision-failed":
        return this.#provision(event, resource);
      case "planned":
      case "import-start":
      case "import-done":
        return;
    }
  };

  #provision(event: ProvisionEvent, resource: Plain): void {
    const { address, provisioner } = event;
    const hook = { resource, provisioner };
    switch (event.kind) {
      case "provision-start":
        return this.#line("info", `${address}: Provisioning with '${provisioner}'...`, "provision_start", { hook });
      case "provision-output": {
        const output = event.line;
        return this.#line("info", `${address}: (${provisioner}): ${output}`, "provision_progress", {
          hook: { ...hook, output },
        });
      }
      case "provision-done":
        return this.#line("info", `${address}: (${provisioner}) Provisioning complete`, "provision_complete", { hook });
      case "provision-failed":
        return this.#line("info", `${address}: (${provisioner}) Provisioning errored`, "provision_errored", { hook });
    }
  }

  plan(plan: Plan, errored: boolean): void {
    for (const change of plan.drift) this.#change("resource_drift", change, "Drift detected");
    for (const change of plan.changes) if (isChange(change)) this.#change("planned_change", change, "Plan to");
    for (const deferral of plan.deferrals) this.#deferral(deferral);
    if (!errored) this.#summary(countChanges(plan.changes), "plan");
    if (errored || plan.outputs.size === 0) return;
    const outputs = [...plan.outputs].map(([name, { action, sensitive }]) => {
      return [name, { action: action === "no-op" ? "noop" : action, sensitive }] as const;
    });
    this.#line("info", `Outputs: ${outputs.length}`, "outputs", { outputs: Object.fromEntries(outputs) });
  }

  /** What is going to be done to objects: all that is told of a saved plan before it is carried out. */
  changes(plan: Plan): void {
    for (const change of plan.changes) if (change.action !== "no-op") this.#change("planned_change", change, "Plan to");
  }

  /** Any other line of that UI. */
  say(level: "info" | "warn" | "error", message: string, type: string, rest: Plain): void {
    this.#line(level, message, type, rest);
  }

  /** Why the objects at an address change: a line that only this program has. */
  why(address: string, reports: readonly Plain[]): void {
    this.#line("info", `Why ${address} changes`, "why", { why: { address, changes: reports } });
  }

  diagnostics(diagnostics: readonly Diagnostic[], about: Plain = {}): void {
    for (const diagnostic of diagnostics) {
      const { severity, summary } = diagnostic;
      const level = severity === "error" ? "error" : "warn";
      const plain = diagnosticPlain(diagnostic, this.#sources);
      this.#line(level, `${severity === "error" ? "Error" : "Warning"}: ${summary}`, "diagnostic", {
        ...about,
        diagnostic: plain,
      });
    }
  }

  applied(counts: ApplyResult["counts"], mode: PlanMode, outputs: ReadonlyMap<string, OutputState>): void {
    const { added: add, changed: change, destroyed: destroy, imported } = counts;
    this.#summary({ add, change, destroy, import: imported }, mode === "destroy" ? "destroy" : "apply");
    if (outputs.size === 0 && mode === "destroy") return;
    const plain = [...outputs].map(([name, { value, sensitive }]) => {
      const type = typeToPlain(value.type);
      return [name, sensitive ? { sensitive, type } : { sensitive, type, value: toPlain(value, value.type) }] as const;
    });
    this.#line("info", `Outputs: ${outputs.size}`, "outputs", { outputs: Object.fromEntries(plain) });
  }

  /** What is decided between two waves: our own kind of line. */
  wave(text: string, parts: Readonly<Record<string, unknown>>): void {
    this.#line("info", text, "wave", { wave: parts });
  }

  /** The sum over several instances. */
  total(counts: PlanCounts, operation: "plan" | "apply" | "destroy"): void {
    this.#summary(counts, operation);
  }

  /** That an instance can only be planned once others have been applied. */
  later(instance: string, why: string): void {
    this.#line("info", `${instance}: planned after this apply, since ${why}`, "planned_later", { instance, why });
  }

  #summary(counts: PlanCounts, operation: "plan" | "apply" | "destroy"): void {
    const { add, change, destroy: remove, import: imported } = counts;
    const [planned, done] = imported > 0 ? [`${imported} to import, `, `${imported} imported, `] : ["", ""];
    const text =
      operation === "plan"
        ? `Plan: ${planned}${add} to add, ${change} to change, ${remove} to destroy.`
        : operation === "apply"
          ? `Apply complete! Resources: ${done}${add} added, ${change} changed, ${remove} destroyed.`
          : `Destroy complete! Resources: ${remove} destroyed.`;
    this.#line("info", text, "change_summary", { changes: { add, change, import: imported, remove, operation } });
  }

  #change(type: "planned_change" | "resource_drift", change: InstanceChange, verb: string): void {
    const { previousAddress, importing } = change;
    const moves = previousAddress === undefined ? "noop" : "move";
    const action = change.action === "no-op" ? (importing ? "import" : moves) : uiAction[change.action];
    const previous = previousAddress === undefined ? {} : { previous_resource: resourceOf(previousAddress) };
    const imported = importing ? { importing: importingPlain(importing) } : {};
    const reason = change.reason === "none" ? {} : { reason: replaceReasons[change.reason] ?? change.reason };
    const { text } = change.address;
    const message = type === "resource_drift" ? `${text}: ${verb} (${action})` : `${text}: ${verb} ${action}`;
    const notes = change.notes ? { notes: change.notes.map(noteText) } : {};
    this.#line("info", message, type, {
      change: { resource: resourceOf(text), ...previous, action, ...reason, ...imported, ...notes },
    });
  }

  #deferral(deferral: Deferral): void {
    const { reason, change: planned } = deferral;
    const { action, address } = planned;
    const { text } = address;
    const change = { resource: resourceOf(text), action: uiAction[action], reason };
    this.#line("info", `${text}: Put off: ${deferralText(deferral)}`, "deferred_change", { change });
  }

  /** Something that was done, in a line. */
  log(message: string): void {
    this.#line("info", message, "log", {});
  }

  /** What init says, by Terraform's code for it. */
  initOutput(code: string, message: string): void {
    this.#line("info", message, "init_output", { message_code: code });
  }

  #line(
    level: "info" | "warn" | "error",
    message: string,
    type: string,
    rest: Readonly<Record<string, unknown>>,
  ): void {
    const line = {
      "@level": level,
      "@message": message,
      "@module": "terraform.ui",
      "@timestamp": new Date().toISOString(),
      ...this.#always,
      ...rest,
      type,
    };
    void this.#io.stdout(`${JSON.stringify(line)}\n`);
  }
}

/** The view of a command. Of one that works on an instance of a template every line but the first names that. */
export function jsonLines(io: CommandIo): JsonView {
  const { instance } = io;
  const view = new JsonView(io, sourcesIn(instance?.listFolder ?? io.cwd));
  return instance ? view.named(instance.name) : view;
}

function importingPlain({ id, identity, generatedConfig }: NonNullable<InstanceChange["importing"]>): Plain {
  return {
    ...(id === undefined ? {} : { id }),
    ...(identity ? { identity: knownPlain(identity) } : {}),
    ...(generatedConfig === undefined ? {} : { generated_config: generatedConfig }),
  };
}

type Plain = Readonly<Record<string, unknown>>;

const opening: Readonly<Record<EphemeralAction, readonly [string, string]>> = {
  open: ["Opening", "Open"],
  renew: ["Renewing", "Renew"],
  close: ["Closing", "Close"],
};

const doing: Readonly<Record<RunAction, string>> = {
  create: "Creating",
  update: "Modifying",
  delete: "Destroying",
  read: "Refreshing",
};
const done: Readonly<Record<RunAction, string>> = {
  create: "Creation",
  update: "Modifications",
  delete: "Destruction",
  read: "Refresh",
};
const uiAction: Readonly<Record<InstanceChange["action"], string>> = {
  "no-op": "noop",
  create: "create",
  read: "read",
  update: "update",
  delete: "delete",
  "delete-create": "replace",
  "create-delete": "replace",
  "forget-create": "replace",
  forget: "remove",
};

/** The words of this form for why something is replaced; other reasons are told as the plan has them. */
const replaceReasons: Readonly<Record<string, string>> = {
  replace_because_tainted: "tainted",
  replace_because_cannot_update: "cannot_update",
  replace_by_request: "requested",
  replace_by_triggers: "replace_triggered_by",
};

function idParts(id: string): Readonly<Record<string, string>> {
  const at = id.indexOf("=");
  return { id_key: id.slice(0, at), id_value: id.slice(at + 1) };
}

function resourceOf(text: string): Readonly<Record<string, unknown>> {
  const parsed = parseAddress(text);
  if (parsed?.kind !== "instance") return { addr: text };
  const { module, resource, key } = parsed.address;
  return {
    addr: text,
    module: module.text,
    resource: `${resourceText(resource)}${text.slice(text.lastIndexOf(resourceText(resource)) + resourceText(resource).length)}`,
    implied_provider: resource.type.split("_", 1)[0],
    resource_type: resource.type,
    resource_name: resource.name,
    resource_key: key ?? null,
  };
}
