import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { hasErrors } from "@millwright/core/diagnostics";
import { decide } from "@millwright/gates/decide";
import type { Decided, Gate } from "@millwright/gates/gate";
import type { Clock } from "@millwright/core/ports";
import { sourceFile } from "@millwright/hcl/source-file";
import type { CommandIo } from "../io.ts";
import { renderDiagnostics, sourcesIn } from "../views/diagnostics.ts";
import { gatesOf } from "../waves/gates.ts";
import { readWaveSettings } from "../waves/settings.ts";
import { Refusal } from "./command.ts";

/** What decides whether the canaries of a deployment take over: the gates that also stand between waves. */
export class CanaryGates {
  readonly #gates: readonly Gate[];
  readonly #patience: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  private constructor(
    gates: readonly Gate[],
    patience: number,
    { clock, io }: { readonly clock: Clock; readonly io: CommandIo },
  ) {
    this.#gates = gates;
    this.#patience = patience;
    this.#clock = clock;
    this.#signal = io.signal;
    for (const gate of gates) void gate.watch?.(io.signal);
  }

  /** Reads the gates of a file. Undefined where something in it is wrong, which was said. Throws a refusal where it is not there. */
  static async read(
    name: string,
    given: { readonly clock: Clock; readonly io: CommandIo },
  ): Promise<CanaryGates | undefined> {
    const { io } = given;
    const path = resolve(io.cwd, name);
    if (!existsSync(path)) throw new Refusal(`There is no file ${name}, which is to say what the gates are.`);
    const { value, diagnostics } = readWaveSettings(sourceFile(name, readFileSync(path)), io.env);
    if (hasErrors(diagnostics)) {
      await io.stderr(renderDiagnostics(diagnostics, io.view, sourcesIn(io.cwd), false));
      return undefined;
    }
    return new CanaryGates(gatesOf(value.gates, { folder: io.cwd, env: io.env }), value.patience, given);
  }

  /** Asks the gates until they agree; each reason to wait is told once. */
  decide(tell: (text: string) => Promise<void>): Promise<Decided> {
    const now = this.#clock.now();
    const view = { wave: 1, waves: 2, changed: [], failed: [], conditions: [], began: now, waveEnded: now };
    let said = "";
    const onWait = ({ gate, decision }: Decided) => {
      const text = `waiting: ${gate}: ${decision.because}`;
      if (text !== said) void tell(text);
      said = text;
    };
    return decide(this.#gates, view, { clock: this.#clock, signal: this.#signal, patience: this.#patience, onWait });
  }
}
