import { ConsulClient } from "@millwright/clients/consul";
import { journalPath } from "@millwright/engine/backend/journal";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DevServer } from "./dev-server.ts";
import { HttpGate } from "./http-gate.ts";
import { type Ended, Process, type ProcessSetting } from "./process.ts";

const configuration = (server: string) => `provider "consul" {
  address = "${server}"
}
resource "consul_key_prefix" "slow" {
  path_prefix = "slow/"
  subkeys     = { a = "1", b = "2" }
}
resource "terraform_data" "quick" {
  input = "quick"
}
resource "terraform_data" "later" {
  input = consul_key_prefix.slow.id
}
`;

/** A folder with a quick resource, a slow one that a test can hold, and one that waits for that. */
export class SlowFolder {
  readonly path = mkdtempSync(join(tmpdir(), "millwright-slow-"));
  readonly gate: HttpGate;
  readonly #client: ConsulClient;
  readonly #processes: Process[] = [];

  private constructor(server: DevServer, gate: HttpGate) {
    this.gate = gate;
    this.#client = new ConsulClient({ address: server.address });
    writeFileSync(join(this.path, "main.tf"), configuration(gate.address));
  }

  static async make(server: DevServer): Promise<SlowFolder> {
    return new SlowFolder(server, await HttpGate.start(server.address));
  }

  start(args: readonly string[], setting: Partial<ProcessSetting> = {}): Process {
    const process = Process.start(args, { cwd: this.path, ...setting });
    this.#processes.push(process);
    return process;
  }

  run(args: readonly string[], setting: Partial<ProcessSetting> = {}): Promise<Ended> {
    const process = this.start(args, setting);
    process.closeInput();
    return process.ended;
  }

  /** An apply that is in the middle of creating the slow one, with the quick one done. */
  async startHeld(what: "request" | "answer"): Promise<Process> {
    this.gate.hold(what, /^PUT /);
    const process = this.start(["apply", "-auto-approve"]);
    const isHeld = await process.until(() => this.gate.held > 0 && /quick: Creation complete/.test(process.out));
    if (!isHeld) throw new Error(`the apply ended early:\n${process.out}\n${process.err}`);
    return process;
  }

  get statePath(): string {
    return join(this.path, "terraform.tfstate");
  }

  get hasJournal(): boolean {
    return existsSync(journalPath(this.statePath));
  }

  /** The addresses of what the state holds. */
  objects(name = "terraform.tfstate"): string[] {
    if (!existsSync(join(this.path, name))) return [];
    const { resources } = JSON.parse(readFileSync(join(this.path, name), "utf8")) as {
      readonly resources: readonly { readonly type: string; readonly name: string }[];
    };
    return resources.map((resource) => `${resource.type}.${resource.name}`);
  }

  async keys(): Promise<readonly string[]> {
    return (await this.#client.kv.list("")).value.map(({ key }) => key);
  }

  async remove(): Promise<void> {
    for (const process of this.#processes) process.signal("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    await this.gate.stop();
    await this.#client.kv.deleteTree("");
    await this.#client.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}
