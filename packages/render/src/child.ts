import type { Chance, Clock } from "@millwright/core/ports";
import { startProcess, type RunningProcess } from "@millwright/process/process";
import type { ProcessExit } from "@millwright/process/process-state";
import type { ChildSpec } from "./config.ts";
import { filterEnvironment } from "./environment.ts";

export interface ChildPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Told when the program ends by itself, or because somebody else ended it. */
  readonly ended: (exit: ProcessExit) => void;
}

/** One program that is kept running: started anew on request, ended at the end. */
export class Child {
  readonly #spec: ChildSpec;
  readonly #ports: ChildPorts;
  #running: RunningProcess | undefined;
  #starting: Promise<void> | undefined;
  /** The process that is being ended on purpose: its end is no news. */
  #ending: RunningProcess | undefined;

  constructor(spec: ChildSpec, ports: ChildPorts) {
    this.#spec = spec;
    this.#ports = ports;
  }

  /** Resolves when it runs. Rejects with an operational error of `processErrors`. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { environment, folder, ended } = this.#ports;
    const running = await startProcess({
      command: this.#spec.command,
      env: filterEnvironment(environment, this.#spec.environment),
      cwd: folder,
      stdin: "inherit",
      output: { kind: "inherit" },
      group: "own",
      lifetime: "bound",
      others: { signal: this.#spec.killSignal, graceMilliseconds: this.#spec.killTimeout },
    });
    this.#running = running;
    void running.ended.then((exit) => {
      if (this.#running === running) this.#running = undefined;
      if (this.#ending !== running) ended(exit);
    });
  }

  /** Sends the reload signal, or ends the program and starts it anew, within the splay. */
  async reload(signal: AbortSignal): Promise<void> {
    const { clock, chance } = this.#ports;
    if (this.#spec.splay > 0) await clock.sleep(this.#spec.splay * chance.fraction(), signal);
    const { reloadSignal } = this.#spec;
    if (reloadSignal) {
      this.#running?.signal(reloadSignal);
      return;
    }
    await this.end(undefined);
    signal.throwIfAborted();
    await this.start();
  }

  /** Passes a signal on to the program and its children. */
  signal(name: NodeJS.Signals): void {
    this.#running?.signal(name);
  }

  /** Ends it: by its kill signal or the one given, and by force after its kill timeout. Resolves with how it ended. */
  async end(signal: NodeJS.Signals | undefined): Promise<ProcessExit | undefined> {
    // One that is just being started is there in a moment; one that cannot be is reported by whoever started it.
    await this.#starting?.catch(() => undefined);
    const running = this.#running;
    if (!running) return undefined;
    this.#ending = running;
    const { killSignal, killTimeout } = this.#spec;
    return running.end({ signal: signal ?? killSignal, graceMilliseconds: killTimeout });
  }
}
