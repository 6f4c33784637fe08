import { createHash } from "node:crypto";
import type { PrivateData } from "@millwright/provider/private-data";
import type { JobSpec } from "./job-spec.ts";

/** What a `nomad_job` remembers beside its state. */
export class JobMemory {
  readonly #data: PrivateData;

  constructor(data: PrivateData) {
    this.#data = data;
  }

  /** The job modify index at which a plan saw the job, 0 where it was not there; undefined where no server was asked. */
  get seen(): number | undefined {
    const index = this.#data.get("seen");
    return typeof index === "number" ? index : undefined;
  }

  planned(index: number | undefined): void {
    if (index === undefined) this.#data.delete("seen");
    else this.#data.set("seen", index);
  }

  /** Notes what was registered, and the job modify index that it has since. */
  registered(spec: JobSpec, index: number): void {
    this.#data.delete("seen");
    this.#data.set("registered", { index, digest: digestOf(spec) });
  }

  /** Whether the job that was registered last says this. Undefined where that is not known, as after an import. */
  isOf(spec: JobSpec): boolean | undefined {
    const { digest } = this.#last;
    return digest === undefined ? undefined : digest === digestOf(spec);
  }

  /** Whether the server has another version of the job than the one that was registered last. */
  isPast(modifyIndex: string): boolean {
    const { index } = this.#last;
    return index !== undefined && String(index) !== modifyIndex;
  }

  get #last(): { readonly index?: number; readonly digest?: string } {
    return (this.#data.get("registered") ?? {}) as { readonly index?: number; readonly digest?: string };
  }
}

function digestOf({ json, namespace }: JobSpec): string {
  return createHash("sha256")
    .update(JSON.stringify([namespace, json]))
    .digest("base64");
}
