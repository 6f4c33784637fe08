import { similar } from "@millwright/core/similar";
import type { InstanceAddress } from "@millwright/engine/addresses";
import { instanceAddress } from "@millwright/engine/addresses";
import { covers } from "@millwright/engine/targets";
import { type ParsedAddress, parseAddress } from "@millwright/engine/parse-address";
import { emptyState, instancesOf, type State, StateBuilder, type StateInstance } from "@millwright/engine/state";
import { stateJson } from "@millwright/engine/state-json";
import { writeStateFile } from "@millwright/engine/state-file";
import type { CommandIo } from "../io.ts";
import { renderStateInstance } from "../views/state.ts";
import { runCommand } from "./command.ts";
import { didYouMeanAddress } from "./nearest-address.ts";
import { type OpenState, readState, stateOptions } from "./open-state.ts";
import { ignoreRemoteVersion, jsonLinesFlag, stateFlags, stateOutFlags, viewFlags } from "./options.ts";
import { keepOpen } from "./recover.ts";
import { newPool } from "./run-context.ts";
import type { CommandStyle } from "./session.ts";
import { runStateIdentities } from "./state-identities.ts";
import { badAddress, listedInstances } from "./state-listed.ts";
import { runStatePush } from "./state-push.ts";
import { runReplaceProvider } from "./state-replace-provider.ts";
import { withRecovered, withState } from "./with-state.ts";

const subcommands = {
  identities: runStateIdentities,
  list,
  mv,
  pull,
  push: runStatePush,
  "replace-provider": runReplaceProvider,
  rm,
  show,
  // OpenTofu's further names.
  ls: list,
  move: mv,
  remove: rm,
};

export async function runState(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const [name, ...rest] = args;
  if (name !== undefined && Object.hasOwn(subcommands, name))
    return subcommands[name as keyof typeof subcommands](rest, io, style);
  const wantsHelp = name === undefined || /^--?h(elp)?$/.test(name);
  const near = name === undefined ? undefined : similar(name, Object.keys(subcommands));
  const text = `Usage: ${style} state SUBCOMMAND [flags]

Looks into the state and changes what it remembers, not what exists.

Subcommands:
  identities          Print what names the objects in the state, as JSON
  list, ls            List the instances in the state
  mv, move            Give something in the state another address
  pull                Print the state file
  push                Write a state file to where the folder keeps its state
  replace-provider    Have resources belong to another provider
  rm, remove          Take something out of the state, and leave it where it is
  show                Show one instance

Example: ${style} state list consul_key_prefix.app
`;
  if (wantsHelp) await io.stdout(text);
  else await io.stderr(`There is no "state ${name}".${near ? ` Did you mean "state ${near}"?` : ""}\n\n${text}`);
  return wantsHelp && name !== undefined ? 0 : 1;
}

const commonFlags = { state: stateFlags.state, "no-color": viewFlags["no-color"] } as const;
const writeFlags = {
  ...stateFlags,
  ...jsonLinesFlag,
  "no-color": viewFlags["no-color"],
  backup: stateOutFlags.backup,
  "ignore-remote-version": ignoreRemoteVersion,
  "dry-run": { kind: "bool", help: "Only say what would be done." },
} as const;

function list(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...commonFlags,
        ...jsonLinesFlag,
        id: { kind: "string", value: "ID", help: "List only instances whose id is this." },
      },
      usage: "state list [flags] [ADDRESS...]",
      about:
        "Lists the instances in the state, a line each; only those that an address\ncovers, where addresses are given.",
      example: "state list module.app",
      jsonLines: true,
      arguments: [0, 1000],
      run: async ({ session, values, args: wanted }) => {
        const listed = await listedInstances(session, { state: values.state, addresses: wanted, id: values.id });
        if (!listed) return 1;
        for (const { address } of listed) await session.say(address, { type: "resource_address" });
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function show(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { ...commonFlags, json: viewFlags.json },
      usage: "state show [flags] ADDRESS",
      about:
        "Shows the attributes of one instance in the state. Sensitive values are not\nshown, but with -json: a state in Terraform's format that holds nothing else.",
      example: "state show 'terraform_data.a[0]'",
      arguments: [1, 1],
      run: async ({ session, values, args: [text] }) => {
        const parsed = parseAddress(text!);
        if (parsed?.kind !== "instance") return session.refuse("Invalid address", badAddress(text!));
        const state = await readState(session, values.state);
        if (!state) return 1;
        const all = instancesOf(state.kept.current.state);
        const found = all.find(({ address }) => address.text === parsed.address.text);
        if (!found?.instance.current)
          return session.refuse("No instance found for the given address!", notFound(text!, all));
        const pool = await newPool(session);
        try {
          const shown = values.json
            ? `${JSON.stringify(await stateJson(only(found), pool))}\n`
            : await renderStateInstance(found, pool, session.view);
          await io.stdout(shown);
        } finally {
          await pool.close();
        }
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function only({ address, resource, instance }: StateInstance): State {
  const builder = new StateBuilder(emptyState);
  builder.setCurrent(address, resource.provider, instance.current);
  return builder.snapshot();
}

function notFound(text: string, all: readonly StateInstance[]): string {
  const known = all.map(({ address }) => address.text);
  return `This command requires that the address references one specific instance, and ${text} is none that the state has.${didYouMeanAddress(text, known)} To view the available instances, use "state list".`;
}

function pull(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: commonFlags,
      usage: "state pull",
      about: "Prints the state file, in format version 4. It holds sensitive values in clear.",
      example: "state pull > copy.tfstate",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const state = await readState(session, values.state);
        if (!state) return 1;
        if (state.kept.current.lineage !== "") await io.stdout(writeStateFile(state.kept.current));
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function rm(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: writeFlags,
      usage: "state rm [flags] ADDRESS...",
      about:
        "Takes instances out of the state. The objects themselves are left where they are;\na later plan would create them anew if the configuration still has them.",
      example: "state rm module.old",
      jsonLines: true,
      arguments: [1, 1000],
      run: async ({ session, values, occurrences, args: texts }) => {
        for (const text of texts) if (!parseAddress(text)) return session.refuse("Invalid address", badAddress(text));
        const options = { ...stateOptions(values, occurrences, "state-rm"), byHand: true } as const;
        return withRecovered(session, options, async (open, pending) => {
          const all = instancesOf(open.kept.current.state);
          const dropped = pending.filter((entry) => texts.some((text) => covers(text, entry.address)));
          const isDropped = (address: string) => dropped.some((entry) => entry.address === address);
          // Where a replacement was interrupted, the old object is still there: to drop the new one does not forget it.
          const going = all.filter(
            ({ address, instance }) =>
              texts.some((text) => covers(text, address.text)) && (instance.current || !isDropped(address.text)),
          );
          if (going.length + dropped.length === 0)
            return session.refuse("Invalid target address", notFound(texts[0]!, all));
          for (const { address } of going)
            await session.say(`${values["dry-run"] ? "Would remove" : "Removed"} ${address.text}`);
          for (const { address } of dropped)
            await session.say(`${values["dry-run"] ? "Would drop" : "Dropped"} the interrupted create of ${address}`);
          if (values["dry-run"]) return 0;
          const builder = new StateBuilder(open.kept.current.state);
          for (const { address, resource, instance } of going)
            removeInstance(builder, address, resource.provider, instance);
          await open.kept.write(builder.snapshot());
          const stillOpen = pending.filter((entry) => !dropped.includes(entry));
          await keepOpen(open, stillOpen);
          await session.say(`Successfully removed ${going.length + dropped.length} resource instance(s).`);
          return 0;
        });
      },
    },
    args,
    io,
    style,
  );
}

function removeInstance(
  builder: StateBuilder,
  address: InstanceAddress,
  provider: string,
  instance: StateInstance["instance"],
): void {
  builder.setCurrent(address, provider, undefined);
  for (const key of instance.deposed.keys()) builder.setDeposed(address, provider, key, undefined);
}

function mv(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        ...writeFlags,
        "state-out": { kind: "string", value: "FILE", help: "Move it into this state file, which may be new." },
        "backup-out": { ...stateOutFlags.backup, help: "Where to keep what was in the other state file before." },
      } as const,
      usage: "state mv [flags] SOURCE DESTINATION",
      about:
        "Gives a module, a resource or an instance in the state another address, for when\nthe configuration was renamed.",
      example: "state mv terraform_data.a terraform_data.b",
      jsonLines: true,
      arguments: [2, 2],
      run: async ({ session, values, occurrences, args: [from, to] }) => {
        const source = parseAddress(from!);
        const target = parseAddress(to!);
        if (!source) return session.refuse("Invalid source address", badAddress(from!));
        if (!target) return session.refuse("Invalid destination address", badAddress(to!));
        const { "state-out": out, "backup-out": backup } = values;
        const optionsOf = (given: Parameters<typeof stateOptions>[0]) =>
          ({ ...stateOptions({ ...given, "state-out": undefined }, occurrences, "state-mv"), byHand: true }) as const;
        const carryOut = async (open: OpenState, other?: OpenState) => {
          const there = instancesOf(open.kept.current.state);
          if (!there.some(({ address }) => covers(from!, address.text))) {
            const known = there.map(({ address }) => address.text);
            const detail = `Cannot move ${from}: the state has nothing of that address.${didYouMeanAddress(from!, known)} "state list" shows what it has.`;
            return session.refuse("Invalid source address", detail);
          }
          const moved = move(open.kept.current.state, from!, source, target, other?.kept.current.state);
          if (typeof moved === "string") return session.refuse("Invalid target address", moved);
          for (const [old, next] of moved.moves)
            await session.say(`${values["dry-run"] ? "Would move" : "Move"} "${old}" to "${next}"`);
          if (values["dry-run"]) return 0;
          // What is in both for a moment is not lost; what is in none would be.
          if (other && moved.into) await other.kept.write(moved.into);
          await open.kept.write(moved.state);
          await session.say(`Successfully moved ${moved.moves.length} object(s).`);
          return 0;
        };
        return withRecovered(session, optionsOf(values), (open) =>
          out === undefined
            ? carryOut(open)
            : withState(session, optionsOf({ ...values, state: out, backup }), (other) => carryOut(open, other)),
        );
      },
    },
    args,
    io,
    style,
  );
}

interface Moved {
  readonly state: State;
  /** The other state, where it was moved into one. */
  readonly into?: State;
  readonly moves: readonly (readonly [string, string])[];
}

function move(
  state: State,
  from: string,
  source: ParsedAddress,
  target: ParsedAddress,
  into: State | undefined,
): Moved | string {
  if (source.kind !== target.kind)
    return `A ${source.kind === "module" ? "module" : "resource"} cannot become a ${target.kind === "module" ? "module" : "resource"}.`;
  const all = instancesOf(state);
  const going = all.filter(({ address }) => covers(from, address.text));
  const builder = new StateBuilder(state);
  const other = into && new StateBuilder(into);
  const there = other ?? builder;
  const moves: [string, string][] = [];
  for (const { address, resource, instance } of going) {
    const next = renamed(address, source, target);
    if (next.resource.type !== address.resource.type)
      return `${from} is of type ${address.resource.type}, and cannot become a ${next.resource.type}: another type is another object.`;
    if (there.instance(next)?.current)
      return `There is already an object at ${next.text}: move or remove that one first.`;
    removeInstance(builder, address, resource.provider, instance);
    there.setCurrent(next, resource.provider, instance.current);
    for (const [key, object] of instance.deposed) there.setDeposed(next, resource.provider, key, object);
    moves.push([address.text, next.text]);
  }
  return { state: builder.snapshot(), moves, ...(other ? { into: other.snapshot() } : {}) };
}

function renamed(address: InstanceAddress, source: ParsedAddress, target: ParsedAddress): InstanceAddress {
  if (source.kind === "module" && target.kind === "module") {
    const steps = [...target.module.steps, ...address.module.steps.slice(source.module.steps.length)];
    const below = address.module.text.slice(source.module.text.length);
    return instanceAddress({ steps, text: `${target.module.text}${below}` }, address.resource, address.key);
  }
  if (source.kind !== "instance" || target.kind !== "instance") return address;
  const { module, resource, key } = target.address;
  const whole = !source.keyGiven && !target.keyGiven && address.key !== undefined;
  return instanceAddress(module, resource, whole ? address.key : key);
}
