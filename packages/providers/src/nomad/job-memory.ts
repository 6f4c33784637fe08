import { createHash } from "node:crypto";
import type { PrivateData } from "@millwright/provider/private-data";
import type { JobSpec } from "./job-spec.ts";

/** What a `nomad_job` remembers beside its state. */
export class JobMemory {
  readonly #data: PrivateData;

  constructor(data: PrivateData) {
    this.#data = data;
  }

  /** What a plan that asked the server goes by; undefined where none was asked. */
  get promise(): Promised | undefined {
    return this.#data.get("promise") as Promised | undefined;
  }

  planned(promise: Promised | undefined): void {
    if (promise) this.#data.set("promise", promise);
    else this.#data.delete("promise");
  }

  /** Notes what was registered, and the job modify index that it has since. */
  registered(spec: JobSpec, index: number): void {
    this.planned(undefined);
    const { job, namespace } = spec;
    const last: Registered = { id: job.id, namespace, index, digest: digestOf(spec) };
    this.#data.set("registered", last);
  }

  /** Whether the job that was registered last is this one, whatever it says. */
  holds({ job, namespace }: JobSpec): boolean {
    return this.#last?.id === job.id && this.#last.namespace === namespace;
  }

  /** Whether the job that was registered last says this. Undefined where that is not known, as after an import. */
  isOf(spec: JobSpec): boolean | undefined {
    return this.#last && this.#last.digest === digestOf(spec);
  }

  /** Whether the server has another version of the job than the one that was registered last. */
  isPast(modifyIndex: string): boolean {
    return this.#last !== undefined && String(this.#last.index) !== modifyIndex;
  }

  get #last(): Registered | undefined {
    return this.#data.get("registered") as Registered | undefined;
  }
}

/** What a plan saw of a job on the server. */
export interface Promised {
  /** Its job modify index, 0 where it was not there. Undefined of a job that is replaced: it will be another by then. */
  readonly seen?: number;
}

interface Registered {
  readonly id: string;
  readonly namespace: string;
  readonly index: number;
  readonly digest: string;
}

function digestOf({ json, namespace }: JobSpec): string {
  return createHash("sha256")
    .update(JSON.stringify([namespace, json]))
    .digest("base64");
}
