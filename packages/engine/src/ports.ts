import type { Chance, Clock } from "@millwright/core/ports";
import type { Provider } from "@millwright/provider/protocol";
import type { ProviderSource } from "./addresses.ts";

/** The files of a folder, as the engine reads configuration: whole, and by path relative to where the command runs. */
export interface Files {
  /** Undefined where there is no such file. Any other failure is an OperationalError. */
  read(path: string): Uint8Array | undefined;
  /** Names in a folder, in byte order; undefined where there is no such folder. */
  list(folder: string): readonly string[] | undefined;
}

/** Hands the engine its providers: which version serves a source, and a new process or object of it. */
export interface ProviderRegistry {
  find(source: ProviderSource): ProviderOffer | undefined;
  /** Sources that could have been meant, for suggestions. */
  known(): readonly ProviderSource[];
}

export interface ProviderOffer {
  readonly source: ProviderSource;
  readonly version: string;
  /** Where it comes from: part of the program, a binary on disk, or a TypeScript file of the folder itself. */
  readonly origin: "built-in" | "installed" | "folder";
  start(options?: ProviderStart): Promise<Provider>;
}

export interface ProviderStart {
  /** Told of each process that runs for the provider, before it is called: one that is left over can be found by it. */
  readonly started?: (process: ProviderProcess) => Promise<void>;
  /** Aborted when the run is to end: a provider that has not said yet how to reach it is not waited for. */
  readonly stop?: AbortSignal;
}

/** A process for good: pids are used again, a pid with its start (in clock ticks since `boot`) is not. */
export interface ProviderProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly boot: string;
}

/** What a run tells while it goes on; for progress, JSON output and the journal. Called in the order things happen. */
export type RunEvent =
  | ProvisionEvent
  | { readonly kind: "refresh-start"; readonly address: string; readonly id?: string }
  | { readonly kind: "refresh-done"; readonly address: string; readonly id?: string }
  | { readonly kind: "planned"; readonly address: string }
  /** An object is looked for, by what `id` says (`id=x`), to be taken over; and, at apply, has been. */
  | { readonly kind: "import-start"; readonly address: string; readonly id: string }
  | { readonly kind: "import-done"; readonly address: string; readonly id: string }
  | {
      readonly kind: "ephemeral-start" | "ephemeral-done";
      readonly address: string;
      readonly action: EphemeralAction;
    }
  | {
      readonly kind: "apply-start";
      readonly address: string;
      readonly deposedKey?: string;
      readonly action: RunAction;
      readonly id?: string;
    }
  | {
      readonly kind: "apply-done";
      readonly address: string;
      readonly deposedKey?: string;
      readonly action: RunAction;
      readonly id?: string;
      readonly seconds: number;
    }
  | {
      readonly kind: "apply-failed";
      readonly address: string;
      readonly deposedKey?: string;
      readonly action: RunAction;
      readonly seconds: number;
    };

export type EphemeralAction = "open" | "renew" | "close";

/** Provisioners of one object that are run, and what they write. */
export type ProvisionEvent =
  | {
      readonly kind: "provision-start" | "provision-done" | "provision-failed";
      readonly address: string;
      readonly provisioner: string;
    }
  | {
      readonly kind: "provision-output";
      readonly address: string;
      readonly provisioner: string;
      readonly line: string;
    };

export type RunAction = "create" | "update" | "delete" | "read";

export type RunListener = (event: RunEvent) => void;

/** Time, chance and the two ways to end a run. */
export interface RunPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: RunListener;
  /** The first ^C: begin nothing more, let what runs finish. */
  readonly stop: AbortSignal;
}
