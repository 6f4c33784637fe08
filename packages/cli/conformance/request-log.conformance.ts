import { existsSync, readFileSync } from "node:fs";
import { calls } from "@millwright/plugin/wire/calls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestFolder } from "../test/folder.ts";
import type { CommandOutcome } from "../test/kv-io.ts";
import { realTools } from "./real-tools.ts";
import { serveProviders } from "./served-providers.ts";

const provider = readFileSync(new URL("../test/providers/desk.provider.ts", import.meta.url), "utf8");

/** A chain, so that there is one order alone: a card, what is looked up by it, and a card of what was found. */
const configuration = (card: string, further = "") => `
terraform {
  required_providers {
    desk = {
      source = "example.com/me/desk"
    }
  }
}
provider "desk" {
  owner = "me"
}
resource "desk_card" ${card}
data "desk_look" "it" {
  id = desk_card.${/"(\w+)"/.exec(card)![1]}.id
}
resource "desk_card" "z" {
  name = data.desk_look.it.upper
  size = 0.1
}
${further}`;

const first = `"a" {
  name    = "a"
  tags    = { x = "1" }
  members = ["q", "p"]
  line {
    text = "one"
  }
  mark {
    label = "m"
  }
}`;
const updated = first.replace('["q", "p"]', '["r", "p"]').replace("  mark", '  line {\n    text = "two"\n  }\n  mark');
const replaced = updated.replace('name    = "a"', 'name    = "c"');
const moved = replaced.replace('"a" {', '"m" {');
const move = "moved {\n  from = desk_card.a\n  to   = desk_card.m\n}\n";

type Step = readonly string[] | { readonly main: string };
const steps: readonly Step[] = [
  { main: configuration(first) },
  ["init"],
  ["plan", "-out=p"],
  ["apply", "p"],
  ["plan"],
  { main: configuration(updated) },
  ["plan", "-out=p"],
  ["apply", "p"],
  { main: configuration(replaced) },
  ["plan", "-out=p"],
  ["apply", "p"],
  { main: configuration(moved, move) },
  ["plan", "-out=p"],
  ["apply", "p"],
  ["state", "rm", "desk_card.z"],
  ["import", "desk_card.z", "card-CARD-C"],
  ["plan"],
  ["plan", "-destroy", "-out=p"],
  ["apply", "p"],
];

interface Request {
  readonly call: string;
  /** What was sent: values as the hexadecimal digits of their MessagePack. */
  readonly sent: unknown;
}

type Engine = (
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<CommandOutcome>;

/** Leads an engine through the steps; gives what it asked the provider in each. */
async function requestsOf(
  engine: Engine,
  place: TestFolder,
  settings: string,
): Promise<readonly (readonly Request[])[]> {
  const all: (readonly Request[])[] = [];
  for (const step of steps) {
    if ("main" in step) {
      place.write({ "main.tf": step.main });
      continue;
    }
    place.write({ "requests.log": "" });
    const env = { TF_CLI_CONFIG_FILE: settings, MILLWRIGHT_REQUEST_LOG: `${place.path}/requests.log`, ...quiet };
    const { code, out, err } = await engine(place.path, step, env);
    if (code !== 0) throw new Error(`${step.join(" ")} failed:\n${out}${err}`);
    all.push(normalised(step, existsSync(`${place.path}/requests.log`) ? place.read("requests.log") : ""));
  }
  return all;
}

const quiet = { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", NO_COLOR: "1" };

/**
 * What is left out, as it is another's by design:
 * - schemas, functions and stopping: how often a program is started is each engine's own;
 * - validation: Terraform validates in a walk of its own before it plans, again when it plans, and again when it applies; this
 *   program once a command (the next test compares what is asked);
 * - configurations and state upgrades but for the first of their kind in a command: Terraform starts the program anew for each walk;
 * - readings while a plan is carried out: this program looks once more before it changes an object, and refuses when it has changed;
 *   upgrades of states then, which it asks for all at once and Terraform for what it changes; and, where a plan changes no object,
 *   its configuration, as then this program starts no provider;
 * - at an import everything but the import itself and its reading: Terraform reads all data sources of the folder then;
 * - at a plan to destroy everything but readings and upgrades: Terraform makes an ordinary plan first, to throw it away.
 * Of the messages only this is left out: that Terraform could take deferred answers while it applies.
 */
function normalised(step: readonly string[], log: string): readonly Request[] {
  const lines = log.split("\n").filter((line) => line !== "");
  const requests = lines.map((line) => decoded(JSON.parse(line) as { call: keyof typeof calls; request: string }));
  const changes = requests.some(({ call }) => call === "applyResourceChange");
  const seen = new Set<string>();
  return requests.filter((request) => {
    if (/Schema|Functions|Metadata|stopProvider|^validate/.test(request.call)) return false;
    if (step[0] === "apply" && /readResource|upgradeResourceState/.test(request.call)) return false;
    if (step[0] === "apply" && !changes && request.call === "configureProvider") return false;
    if (step[0] === "import" && !/importResourceState|readResource/.test(request.call)) return false;
    if (step.includes("-destroy") && !/readResource|upgradeResourceState/.test(request.call)) return false;
    if (!/configureProvider|upgradeResourceState/.test(request.call)) return true;
    const text = JSON.stringify(request);
    return !seen.has(text) && seen.add(text);
  });
}

function decoded({ call, request }: { call: keyof typeof calls; request: string }): Request {
  const message = calls[call].request.decode(Buffer.from(request, "hex")) as Readonly<Record<string, unknown>>;
  const { clientCapabilities: _, ...sent } = message;
  return { call, sent: shown(sent) };
}

function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, shown(one)]));
  if (typeof value !== "object" || value === null) return value;
  const { json, ...rest } = value as { readonly json?: unknown };
  const entries = Object.entries(rest).map(([key, one]) => [key, shown(one)] as const);
  // The state file's own white space is no part of what is asked.
  const plain = json instanceof Uint8Array && json.length > 0 ? { json: JSON.parse(Buffer.from(json).toString()) } : {};
  return { ...Object.fromEntries(entries), ...plain };
}

function ofAnyVersion({ call, sent }: Request): Request {
  const { terraformVersion: _, ...rest } = sent as { readonly terraformVersion?: string };
  return { call, sent: rest };
}

function sorted(requests: readonly Request[]): readonly Request[] {
  const keyed = requests.map((request) => ({ key: JSON.stringify(request), request }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ request }) => request);
}

/** What was created or updated, and what was removed, each in its order. */
function changesIn(requests: readonly Request[]): { readonly kept: unknown[]; readonly removed: unknown[] } {
  const changes = requests.filter(({ call }) => call === "applyResourceChange").map(({ sent }) => sent);
  const isRemoval = (sent: unknown) => (sent as { plannedState: { msgpack: string } }).plannedState.msgpack === "c0";
  return { kept: changes.filter((sent) => !isRemoval(sent)), removed: changes.filter(isRemoval) };
}

for (const tool of realTools)
  describe.runIf(tool.found)(`one provider under this engine and ${tool.name}`, () => {
    const places: TestFolder[] = [];
    let asked: { readonly ours: readonly (readonly Request[])[]; readonly theirs: readonly (readonly Request[])[] };

    // OpenTofu says that it is Terraform 1.13, and this program that it is 1.11, as the real terraform here is.
    const compared = (requests: readonly Request[]) => (tool.name === "tofu" ? requests.map(ofAnyVersion) : requests);

    beforeAll(async () => {
      const served = new TestFolder();
      const [here, there] = [new TestFolder(), new TestFolder()];
      places.push(served, here, there);
      const settings = await serveProviders({ "desk.provider.ts": provider }, served);
      const ours: Engine = (_folder, args, env) => here.run(args, { env }, "terraform");
      const real: Engine = async (folder, args, env) => tool.run(folder, args, env);
      const [theirRequests, ourRequests] = [
        await requestsOf(real, there, settings),
        await requestsOf(ours, here, settings),
      ];
      asked = { theirs: theirRequests.map(compared), ours: ourRequests.map(compared) };
    });
    afterAll(() => {
      for (const place of places) place.remove();
    });

    const commands = steps.filter((step) => !("main" in step)) as readonly (readonly string[])[];
    const numbered = commands.map((step, i) => ({ name: step.join(" "), i }));
    test.each(numbered)("is asked the same: $i $name", ({ name, i }) => {
      const [ours, theirs] = [asked.ours[i]!, asked.theirs[i]!];
      // An object that goes and one that is changed wait for nothing of each other, nor does a state for what is planned.
      if (name.startsWith("apply")) expect(sorted(ours)).toEqual(sorted(theirs));
      else expect(ours).toEqual(theirs);
    });

    test.each(numbered.filter(({ name }) => name.startsWith("apply")))(
      "is changed in the same order: $i $name",
      ({ i }) => {
        expect(changesIn(asked.ours[i]!)).toEqual(changesIn(asked.theirs[i]!));
      },
    );

    test("is asked something in each command but init, an apply of moves alone, and state rm", () => {
      const silent = commands.filter((_, i) => asked.theirs[i]!.length === 0).map((step) => step[0]);
      expect(silent).toEqual(["init", "apply", "state"]);
    });
  });
