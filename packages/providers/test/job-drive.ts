import { impliedType } from "@millwright/provider/implied-type";
import { noteText } from "@millwright/provider/plan-note";
import type { PlanAnswer, Provider, ProviderDiagnostics } from "@millwright/provider/protocol";
import { Drive, type Plain } from "@millwright/provider/testing/drive";
import { plainOf } from "@millwright/provider/testing/objects";
import { proposedObject } from "@millwright/provider/testing/proposed";
import { rawEquals } from "@millwright/value/operations";
import { isNull, nullValue, type Value } from "@millwright/value/value";

/** What a step of a life led to. */
export interface Step {
  readonly plain: Plain;
  /** `warning: SUMMARY` or `error: SUMMARY`. */
  readonly said: readonly string[];
  readonly details: string;
}

export interface PlannedStep extends Step {
  /** `none`, or what is done. */
  readonly action: "none" | "create" | "update" | "replace";
  /** What people are to read, a line each. */
  readonly notes: readonly string[];
  readonly apply: () => Promise<Step>;
}

/** Leads one job as the engine does, with what the provider remembers beside the state. */
export class JobDrive {
  readonly #provider: Provider;
  readonly #drive: Drive;
  #state: Value;
  #private: Uint8Array = new Uint8Array();

  private constructor(provider: Provider, drive: Drive) {
    this.#provider = provider;
    this.#drive = drive;
    this.#state = nullValue(impliedType(drive.block));
  }

  static async of(provider: Provider): Promise<JobDrive> {
    return new JobDrive(provider, await Drive.of(provider, "nomad_job"));
  }

  async refresh(): Promise<Step> {
    const call = { type: "nomad_job", current: this.#state, private: this.#private };
    const { newState, private: bytes, diagnostics } = await this.#provider.readResource(call);
    this.#keep(newState, bytes);
    return this.#step(newState, diagnostics);
  }

  /** Plans a change. Its `apply` plans once more, as the engine does, and carries that out. */
  async plan(data: Readonly<Record<string, unknown>>): Promise<PlannedStep> {
    const config = this.#drive.object(data);
    const prior = this.#state;
    const call = { type: "nomad_job", prior, config, proposed: proposedObject(this.#drive.block, prior, config) };
    const answer = await this.#provider.planResourceChange({ ...call, priorPrivate: this.#private });
    const { planned, plannedPrivate: promised, diagnostics, notes = [] } = answer;
    return {
      ...this.#step(planned, diagnostics),
      action: actionOf(prior, answer),
      notes: notes.map(noteText),
      apply: async () => {
        const again = await this.#provider.planResourceChange({ ...call, priorPrivate: this.#private, promised });
        const { planned: final, plannedPrivate } = again;
        return this.#apply({ type: "nomad_job", prior, config, planned: final, plannedPrivate }, again.diagnostics);
      },
    };
  }

  async apply(data: Readonly<Record<string, unknown>>): Promise<Step> {
    return (await this.plan(data)).apply();
  }

  destroy(): Promise<Step> {
    const nothing = nullValue(this.#state.type);
    const call = { prior: this.#state, config: nothing, planned: nothing, plannedPrivate: this.#private };
    return this.#apply({ type: "nomad_job", ...call }, []);
  }

  async #apply(call: Parameters<Provider["applyResourceChange"]>[0], before: ProviderDiagnostics): Promise<Step> {
    const { newState, private: bytes, diagnostics } = await this.#provider.applyResourceChange(call);
    this.#keep(newState, bytes);
    return this.#step(newState, [...before, ...diagnostics]);
  }

  #keep(state: Value, bytes: Uint8Array): void {
    this.#state = state;
    this.#private = bytes;
  }

  #step(value: Value, diagnostics: ProviderDiagnostics): Step {
    return {
      plain: isNull(value) ? {} : (plainOf(this.#drive.block, value) as Plain),
      said: diagnostics.map(({ severity, summary }) => `${severity}: ${summary}`),
      details: diagnostics.map(({ detail }) => detail).join("\n"),
    };
  }
}

function actionOf(prior: Value, { planned, requiresReplace }: PlanAnswer): PlannedStep["action"] {
  if (isNull(prior)) return "create";
  if (requiresReplace.length > 0) return "replace";
  return rawEquals(prior, planned) ? "none" : "update";
}
