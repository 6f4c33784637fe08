import { invariant } from "@millwright/core/errors";
import { ConsulClient } from "@millwright/clients/consul";
import { journalPath, readJournal } from "@millwright/engine/backend/journal";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Ended, Process } from "./process.ts";

/** What a folder is to come to: its objects in their first form, changed, or all gone. */
export type Stage = "made" | "changed" | "destroyed";

/** Where a kill hit: before anything was changed, while it was, or when all was saved. */
export type Phase = "before" | "during" | "after";

/** How many of each kind of object there are in a stage: a hundred resources in all when it is made. */
const counts = { id: 20, data: 25, prefix: 20, keys: 15, file: 20 } as const;
const fewer = 3;

/** A folder of a hundred resources whose runs are killed, with what must hold at every moment. */
export class KilledFolder {
  readonly #path = mkdtempSync(join(tmpdir(), "millwright-kill-"));
  readonly #root: string;
  readonly #client: ConsulClient;
  readonly #setting: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
  readonly #server: string;
  #stage: Stage = "made";

  /** `name` is where its keys are; `saveEvery` is how often a run saves its state on the way, in seconds. */
  constructor(server: string, name: string, saveEvery: number) {
    this.#root = `${name}/`;
    this.#server = server;
    this.#client = new ConsulClient({ address: server });
    this.#setting = { cwd: this.#path, env: { TF_STATE_PERSIST_INTERVAL: String(saveEvery) } };
  }

  enter(stage: Stage): void {
    this.#stage = stage;
    if (stage === "destroyed") return;
    writeFileSync(join(this.#path, "main.tf"), configuration(this.#server, this.#path, this.#root, stage));
  }

  start(): Process {
    const verb = this.#stage === "destroyed" ? "destroy" : "apply";
    const process = Process.start([verb, "-auto-approve"], this.#setting);
    process.closeInput();
    return process;
  }

  get hasJournal(): boolean {
    return existsSync(journalPath(this.#statePath));
  }

  get serial(): number {
    return Number(this.#state()?.serial ?? 0);
  }

  /** Where the run was that ended just now; `serial` is the state's before it. Nothing may be half-written. */
  phaseAfterKill(serial: number): Phase {
    const journal = readJournal(this.#statePath);
    invariant(journal || !this.hasJournal, "a journal can be read at any moment");
    if (journal) return "during";
    return this.serial === serial ? "before" : "after";
  }

  /** The next plan runs, asks nothing, and creates nothing that is there. */
  async expectPlanIsTrue(): Promise<void> {
    const destroy = this.#stage === "destroyed" ? ["-destroy"] : [];
    const ended = await Process.run(["plan", "-json", "-detailed-exitcode", ...destroy], this.#setting);
    expect([0, 2], textOf(ended)).toContain(ended.code);
    const keys = new Set(await this.#keys());
    for (const address of createdBy(ended.out)) {
      const twice = [...keys].filter((key) => key.startsWith(`${this.#root}${placeOf(address, this.#stage)}`));
      expect(twice, `${address} is there, and is planned to be created`).toEqual([]);
    }
  }

  /** Runs to the end. */
  async finish(): Promise<void> {
    const ended = await this.start().ended;
    expect(ended.code, textOf(ended)).toBe(0);
  }

  /** Every object exists exactly once, the next plan has nothing to do, and nothing is left of any run. */
  async expectDone(): Promise<void> {
    const destroy = this.#stage === "destroyed" ? ["-destroy"] : [];
    const plan = await Process.run(["plan", "-detailed-exitcode", ...destroy], this.#setting);
    expect(plan.code, textOf(plan)).toBe(0);
    await this.#expectComplete();
  }

  async remove(): Promise<void> {
    await this.#client.close();
    rmSync(this.#path, { recursive: true });
  }

  get #statePath(): string {
    return join(this.#path, "terraform.tfstate");
  }

  #state(): StateText | undefined {
    if (!existsSync(this.#statePath)) return undefined;
    return JSON.parse(readFileSync(this.#statePath, "utf8")) as StateText;
  }

  async #keys(): Promise<readonly string[]> {
    const { value } = await this.#client.kv.list(this.#root);
    return value.map(({ key }) => key);
  }

  async #expectComplete(): Promise<void> {
    const stage = this.#stage;
    const state = this.#state();
    const instances = (type: string) =>
      (state?.resources ?? []).filter((r) => r.type === type).flatMap((r) => r.instances.map((i) => i.attributes));
    const gone = stage === "destroyed";
    const left = stage === "changed" ? fewer : 0;
    const want = (type: keyof typeof counts) => (gone ? 0 : counts[type] - left);
    expect(instances("random_id")).toHaveLength(want("id"));
    expect(instances("terraform_data")).toHaveLength(want("data"));
    const prefixes = instances("consul_key_prefix").map(({ path_prefix }) => String(path_prefix));
    const places = (kind: "prefix" | "keys", to: number) =>
      Array.from({ length: to }, (_, i) => `${this.#root}${place(kind, i, stage)}`);
    expect(prefixes.sort()).toEqual(places("prefix", want("prefix")).sort());
    const keys = [
      ...places("prefix", want("prefix")).flatMap((prefix) => [`${prefix}id`, `${prefix}stage`]),
      ...places("keys", want("keys")),
    ];
    expect([...(await this.#keys())].sort()).toEqual(keys.sort());
    const files = Array.from({ length: want("file") }, (_, i) => `file-${i}`);
    const names = ["main.tf", "terraform.tfstate", ".terraform.tfstate.lock", ".millwright", ...files];
    const there = readdirSync(this.#path).filter((name) => name !== "terraform.tfstate.backup");
    expect(there.sort()).toEqual(names.sort());
    // What was made from an id says the id that the state has: none was made anew in between.
    const ids = new Set(instances("random_id").map(({ hex }) => String(hex)));
    for (const name of files) expect(ids).toContain(readFileSync(join(this.#path, name), "utf8").split(" ")[0]);
  }
}

interface StateText {
  readonly serial: number;
  readonly resources: readonly {
    readonly type: string;
    readonly instances: readonly { readonly attributes: Readonly<Record<string, unknown>> }[];
  }[];
}

function textOf({ out, err }: Ended): string {
  return `${out.slice(-2000)}\n${err}`;
}

/** The addresses of what a plan, told as JSON, wants to create where nothing is in the state. */
function createdBy(json: string): string[] {
  const lines = json
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as PlanLine);
  return lines.flatMap(({ type, change }) =>
    type === "planned_change" && change?.action === "create" ? [change.resource.addr] : [],
  );
}

interface PlanLine {
  readonly type: string;
  readonly change?: { readonly action: string; readonly resource: { readonly addr: string } };
}

/** Where the keys of an object are, below the folder's own. The first prefixes move when they are changed. */
function place(kind: "prefix" | "keys", i: number, stage: Stage): string {
  if (kind === "keys") return `keys/${i}`;
  return `prefix-${i}${i < 5 && stage !== "made" ? "-moved" : ""}/`;
}

function placeOf(address: string, stage: Stage): string {
  const [, type, i] = /^consul_(key_prefix|keys)\.all\[(\d+)\]$/.exec(address) ?? [];
  if (type === undefined) return "no keys";
  return place(type === "keys" ? "keys" : "prefix", Number(i), stage);
}

function configuration(server: string, folder: string, root: string, stage: Stage): string {
  const less = stage === "changed" ? fewer : 0;
  const count = (kind: keyof typeof counts) => `count = ${counts[kind] - less}`;
  const moved = stage === "changed" ? `\${count.index < 5 ? "-moved" : ""}` : "";
  return `provider "consul" {
  address = "${server}"
}
resource "random_id" "all" {
  ${count("id")}
  byte_length = 4
  keepers     = { stage = count.index < 4 ? "${stage}" : "" }
}
resource "terraform_data" "all" {
  ${count("data")}
  input            = "${stage}-\${count.index % 2 == 0 ? random_id.all[count.index % ${counts.id - less}].hex : "plain"}"
  triggers_replace = count.index < 5 ? "${stage}" : ""
}
resource "consul_key_prefix" "all" {
  ${count("prefix")}
  path_prefix = "${root}prefix-\${count.index}${moved}/"
  subkeys = {
    id    = random_id.all[count.index % ${counts.id - less}].hex
    stage = "${stage}"
  }
  lifecycle {
    create_before_destroy = true
  }
}
resource "consul_keys" "all" {
  ${count("keys")}
  key {
    path   = "${root}keys/\${count.index}"
    value  = terraform_data.all[count.index].id
    delete = true
  }
}
resource "local_file" "all" {
  ${count("file")}
  filename = "${folder}/file-\${count.index}"
  content  = "\${random_id.all[count.index % ${counts.id - less}].hex} ${stage}"
}
`;
}
