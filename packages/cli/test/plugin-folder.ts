import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { invariant } from "@millwright/core/errors";
import { journalPath, readJournal } from "@millwright/engine/backend/journal";
import { expect } from "vitest";
import { buildProvider } from "../src/commands/provider-build.ts";
import type { Phase, Stage } from "./killed-folder.ts";
import { type Ended, Process } from "./process.ts";
import type { RemoteWorld } from "./remote-world.ts";

/** Makes a program of `remote.provider.ts`, as people install it; gives a CLI configuration that finds it. */
export async function buildRemote(place: string): Promise<string> {
  const file = fileURLToPath(new URL("providers/remote.provider.ts", import.meta.url));
  const mirror = join(place, "mirror");
  const { value } = await buildProvider({ file, out: mirror, platforms: [] });
  invariant(value, "the provider of this test compiles");
  const settings = join(place, "cli.tfrc");
  writeFileSync(settings, `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`);
  return settings;
}

/**
 * What a folder has, of two hundred: things whose identity the configuration gives (`named`) and ones to which the remote gives
 * it. Those that move get another label when they are changed, and so are replaced.
 */
const groups = {
  plain: { type: "remote_named", count: 95, moves: false, rest: "" },
  plain_first: {
    type: "remote_named",
    count: 15,
    moves: true,
    rest: "lifecycle {\n    create_before_destroy = true\n  }",
  },
  provisioned: {
    type: "remote_named",
    count: 5,
    moves: false,
    rest: 'provisioner "local-exec" {\n    command = "sleep 0.2"\n  }',
  },
  // So that at most moments things of both kinds are being made.
  given: { type: "remote_assigned", count: 60, moves: false, rest: "depends_on = [remote_named.plain_first]" },
  given_again: { type: "remote_assigned", count: 15, moves: true, rest: "" },
  given_first: {
    type: "remote_assigned",
    count: 10,
    moves: true,
    rest: "lifecycle {\n    create_before_destroy = true\n  }",
  },
} as const;
type Group = keyof typeof groups;
const names = Object.keys(groups) as readonly Group[];

/** What a plan after a kill has found. */
export interface Found {
  /** How many creates were found to have happened, and taken into the state. */
  readonly adopted: number;
  /** The addresses of creates that the user is asked about. */
  readonly asked: readonly string[];
}

export interface PluginFolderOptions {
  readonly world: RemoteWorld;
  /** The path of a CLI configuration that finds the provider. */
  readonly settings: string;
  /** How much of the two hundred resources there are. */
  readonly share: number;
  /** How long the provider takes at most for each way, in milliseconds. */
  readonly delay: number;
  /** Begins every label of it. */
  readonly name: string;
  /** How often a run saves its state on the way, in seconds. */
  readonly saveEvery: number;
}

/** A folder whose resources a provider's process makes, slowly. Its runs are killed, and this is what must hold then. */
export class PluginFolder {
  readonly path = mkdtempSync(join(tmpdir(), "millwright-plugin-kill-"));
  readonly #options: PluginFolderOptions;
  readonly #setting: { readonly cwd: string; readonly env: Readonly<Record<string, string>> };
  #stage: Stage = "made";

  private constructor(options: PluginFolderOptions) {
    this.#options = options;
    const { settings, saveEvery } = options;
    const env = { TF_CLI_CONFIG_FILE: settings, TF_STATE_PERSIST_INTERVAL: String(saveEvery) };
    this.#setting = { cwd: this.path, env };
  }

  static async make(options: PluginFolderOptions): Promise<PluginFolder> {
    const folder = new PluginFolder(options);
    folder.enter("made");
    await folder.must("init");
    return folder;
  }

  enter(stage: Stage): void {
    this.#stage = stage;
    rmSync(join(this.path, "answers.tf"), { force: true });
    if (stage !== "destroyed") writeFileSync(join(this.path, "main.tf"), this.#configuration());
  }

  start(args: readonly string[] = [this.#stage === "destroyed" ? "destroy" : "apply", "-auto-approve"]): Process {
    const process = Process.start(args, this.#setting);
    process.closeInput();
    return process;
  }

  /** Runs a line that must succeed. */
  async must(...args: readonly string[]): Promise<Ended> {
    const ended = await this.start(args).ended;
    expect(ended.code, `${args.join(" ")}\n${textOf(ended)}`).toBe(0);
    return ended;
  }

  /** Runs to the end. */
  async finish(): Promise<void> {
    const ended = await this.start().ended;
    expect(ended.code, textOf(ended)).toBe(0);
  }

  get statePath(): string {
    return join(this.path, "terraform.tfstate");
  }

  get hasJournal(): boolean {
    return existsSync(journalPath(this.statePath));
  }

  /** Whether a run is changing something. */
  get hasBegun(): boolean {
    return this.hasJournal && readFileSync(journalPath(this.statePath), "utf8").includes('{"before":');
  }

  get serial(): number {
    return Number(this.#state()?.serial ?? 0);
  }

  /** Where the run was that ended just now; `serial` is the state's before it. Nothing may be half-written. */
  phaseAfterKill(serial: number): Phase {
    const journal = readJournal(this.statePath);
    invariant(journal || !this.hasJournal, "a journal can be read at any moment");
    if (journal) return "during";
    return this.serial === serial ? "before" : "after";
  }

  /** The processes that run the provider for this folder. */
  get providers(): readonly number[] {
    return processesOf(join(this.path, ".terraform"));
  }

  /**
   * Plans after a kill. The plan is true (what it creates is not there) or stops at creates of which nobody can know; it has ended
   * what the killed run left of its provider.
   */
  async look(): Promise<Found> {
    const destroy = this.#stage === "destroyed" ? ["-destroy"] : [];
    const ended = await this.start(["plan", "-json", "-detailed-exitcode", ...destroy]).ended;
    const lines = linesOf(ended.out);
    for (const address of createdBy(lines))
      expect(this.#thingOf(address), `${address} is there, and is planned to be created`).toBeUndefined();
    const diagnostics = lines.flatMap(({ diagnostic }) => (diagnostic ? [diagnostic] : []));
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    const asked = errors.filter(({ summary }) => summary === "A create may have happened");
    expect(errors, "nothing else is wrong").toEqual(asked);
    expect(asked.length > 0 ? [1] : [0, 2], textOf(ended)).toContain(ended.code);
    const addresses = asked.map(({ address = "" }) => address);
    for (const address of addresses) expect(address, "the others are known").toMatch(/^remote_assigned\./);
    const adopted = diagnostics.filter(({ summary }) => summary === "Took over an object of an interrupted create");
    return { adopted: adopted.length, asked: addresses };
  }

  /** Answers what a plan asked: imports what is there, one by a command and the others by blocks; the rest is to be created. */
  async answer(asked: readonly string[]): Promise<void> {
    const absent = asked.filter((address) => !this.#thingOf(address));
    if (absent.length > 0) await this.must("state", "rm", ...absent);
    const there = asked.flatMap((address) => {
      const thing = this.#thingOf(address);
      return thing ? [{ address, id: thing.id }] : [];
    });
    const [first, ...others] = there;
    if (first) await this.must("import", first.address, first.id);
    const blocks = others.map(({ address, id }) => `import {\n  to = ${address}\n  id = "${id}"\n}\n`);
    if (blocks.length > 0) writeFileSync(join(this.path, "answers.tf"), blocks.join(""), { flag: "a" });
  }

  /** Every thing exists exactly once, the next plan has nothing to do, and nothing is left of any run. */
  async expectDone(): Promise<void> {
    const destroy = this.#stage === "destroyed" ? ["-destroy"] : [];
    const plan = await this.start(["plan", "-detailed-exitcode", ...destroy]).ended;
    expect(plan.code, textOf(plan)).toBe(0);
    expect(this.providers).toEqual([]);
    const things = this.#options.world.things.filter(({ label }) => label.startsWith(`${this.#options.name}-`));
    const wanted = names.flatMap((group) =>
      Array.from({ length: this.#count(group) }, (_, i) => this.#label(group, i)),
    );
    expect(things.map(({ label }) => label).sort()).toEqual(wanted.sort());
    for (const thing of things) expect(thing.text).toBe(this.#stage);
    const ids = (this.#state()?.resources ?? []).flatMap(({ instances }) => instances.map((i) => i.attributes.id));
    expect(ids.sort()).toEqual(things.map(({ id }) => id).sort());
    expect(this.hasJournal).toBe(false);
  }

  /** The labels that were made more than once, but for those whose provisioner was killed, which replaces them. */
  get twice(): readonly string[] {
    return [...this.#options.world.made].filter(([label, n]) => n > 1 && !/-provisioned-/.test(label)).map(([l]) => l);
  }

  remove(): void {
    for (const pid of this.providers) process.kill(pid, "SIGKILL");
    rmSync(this.path, { recursive: true, force: true });
  }

  #state(): StateText | undefined {
    if (!existsSync(this.statePath)) return undefined;
    return JSON.parse(readFileSync(this.statePath, "utf8")) as StateText;
  }

  /** What there is in the world of an instance in its present form. */
  #thingOf(address: string) {
    const [, group, i] = /^remote_\w+\.(\w+)\[(\d+)\]$/.exec(address) ?? [];
    invariant(group && i, `${address} is one of the folder's`);
    return this.#options.world.find(this.#label(group as Group, Number(i)));
  }

  #label(group: Group, i: number): string {
    const isMoved = groups[group].moves && this.#stage !== "made";
    return `${this.#options.name}-${group}-${i}${isMoved ? "-moved" : ""}`;
  }

  #count(group: Group): number {
    if (this.#stage === "destroyed") return 0;
    const all = Math.ceil(groups[group].count * this.#options.share);
    return this.#stage === "changed" ? all - 1 : all;
  }

  #configuration(): string {
    const { world, delay, name } = this.#options;
    const resources = names.map((group) => {
      const { type, moves, rest } = groups[group];
      return `resource "${type}" "${group}" {
  count = ${this.#count(group)}
  label = "${name}-${group}-\${count.index}${moves && this.#stage !== "made" ? "-moved" : ""}"
  text  = "${this.#stage}"
  ${rest}
}
`;
    });
    return `terraform {
  required_providers {
    remote = {
      source = "example.com/test/remote"
    }
  }
}
provider "remote" {
  address = "${world.address}"
  delay   = ${delay}
}
${resources.join("")}`;
  }
}

/** The processes that were started from below a folder. Of one that has ended, and that nobody has asked about, nothing is told. */
export function processesOf(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandOf(name).includes(folder))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

interface StateText {
  readonly serial: number;
  readonly resources: readonly {
    readonly instances: readonly { readonly attributes: { readonly id: string } }[];
  }[];
}

interface Line {
  readonly type: string;
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly address?: string };
  readonly change?: { readonly action: string; readonly resource: { readonly addr: string } };
}

function linesOf(json: string): readonly Line[] {
  return json
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

function createdBy(lines: readonly Line[]): string[] {
  return lines.flatMap(({ type, change }) =>
    type === "planned_change" && change?.action === "create" ? [change.resource.addr] : [],
  );
}

function textOf({ out, err }: Ended): string {
  return `${out.slice(-3000)}\n${err}`;
}
