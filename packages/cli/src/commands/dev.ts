import { mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { type ErrorKind, messageOf, OperationalError } from "@millwright/core/errors";
import { systemClock } from "@millwright/core/ports";
import { type Claim, claimFolder } from "@millwright/process/claim";
import { describeFlags, type FlagTable, type FlagValues, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { type Addresses, type DevPart, findPart, noAddresses, type RunningPart, startPart } from "./dev-part.ts";
import { devSealFolder } from "./server-config.ts";

const devFlags = {
  "data-dir": { kind: "string", value: "FOLDER", help: "Where everything is kept; .millwright by default." },
  "http-port": { kind: "int", value: "PORT", help: "The agent's port of Consul's HTTP API; 8500 by default." },
  "dns-port": { kind: "int", value: "PORT", help: "The agent's port for DNS; 8600 by default." },
  "vault-port": { kind: "int", value: "PORT", help: "The server's port of Vault's HTTP API; 8200 by default." },
  "nomad-port": { kind: "int", value: "PORT", help: "The server's port of Nomad's HTTP API; 4646 by default." },
  region: { kind: "string", value: "NAME", help: 'The region of the jobs; "global" by default.' },
  "nomad-datacenter": { kind: "string", value: "NAME", help: "The datacenter that jobs ask for; dc1 by default." },
  "server-port": { kind: "int", value: "PORT", help: "The server's port of Consul's HTTP API; 8300 by default." },
  "free-ports": { kind: "bool", help: "Take free ports where the wanted ones are taken." },
  node: { kind: "string", value: "NAME", help: "The agent's node name; the host's by default." },
  "enable-gate-commands": { kind: "bool", help: "Let gates of jobs run commands, as the server." },
  "log-level": { kind: "string", value: "LEVEL", help: "trace, debug, info, warn or error; info by default." },
  stop: { kind: "bool", help: "End what an earlier dev left running in this folder, and leave." },
} as const satisfies FlagTable;

const usage = `Usage: millwright dev [flags]

  Runs a server and an agent on this machine, as two processes that speak the
  ordinary protocols, with all data in ./.millwright. The agent runs jobs, also
  programs as they are (raw_exec). ^C ends both, and all tasks of jobs. Where
  dev itself is killed they go on, and the next dev finds them.

      $ millwright dev
      $ consul kv put app/name web
      $ nomad run app.nomad.hcl
      $ VAULT_TOKEN=… vault kv put secret/app password=-

Flags:

`;

/** Carries out `millwright dev`: runs until the signal aborts; resolves to the exit code. */
export async function runDev(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(devFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(usage + describeFlags(devFlags));
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, `${parsed.diagnostic.summary}. ${parsed.diagnostic.detail}`);
  if (parsed.args.length > 0)
    return refuse(io, `Unexpected argument ${JSON.stringify(parsed.args[0])}: this command takes flags alone.`);
  const folder = resolve(io.cwd, parsed.values["data-dir"] ?? ".millwright");
  const running: RunningPart[] = [];
  let claim: Claim | undefined;
  try {
    if (parsed.values.stop) return await stopLeft(folder, io);
    claim = await claimFolderOfDev(folder);
    const sealFolder = devSealFolder(folder, io.env);
    const server = await findOrStart(serverPart(folder, sealFolder, parsed.values), running, io);
    const agent = await findOrStart(agentPart(folder, server.addresses, parsed.values), running, io);
    await io.stdout(banner({ folder, sealFolder, server, agent }, io));
    return await watch(running, io);
  } catch (error) {
    await stopAll(running);
    if (io.signal.aborted) return 0;
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  } finally {
    await claim?.release();
  }
}

// Two of them in one folder would end each other's parts.
async function claimFolderOfDev(folder: string): Promise<Claim> {
  try {
    // Tasks that root runs as another user come through it to their own folders; what is in there is closed by itself.
    await mkdir(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    return await claimFolder(folder, "dev.pid");
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    const text = `Cannot use the data folder ${folder}: ${messageOf(error)}. Check -data-dir and the folder's permissions.`;
    throw new OperationalError(devErrors.dataFolder, text, { cause: error });
  }
}

const devErrors = {
  dataFolder: { code: "DEV_DATA_FOLDER", status: 500, retryable: false },
} as const satisfies Record<string, ErrorKind>;

type Values = FlagValues<typeof devFlags>;

function serverPart(folder: string, sealFolder: string, values: Values): DevPart {
  return {
    name: "server",
    folder,
    args: [
      "server",
      `-data-dir=${join(folder, "server")}`,
      "-secrets-store=shared",
      `-dev-seal-dir=${sealFolder}`,
      `-http-port=${values["server-port"] ?? 8300}`,
      `-vault-port=${values["vault-port"] ?? 8200}`,
      // Who takes any port for one thing takes any for the rest.
      `-nomad-port=${values["nomad-port"] ?? (values["server-port"] === 0 ? 0 : 4646)}`,
      "-dns-port=-1",
      ...(values.region === undefined ? [] : [`-region=${values.region}`]),
      ...(values["enable-gate-commands"] ? ["-enable-gate-commands"] : []),
      `-node=${values.node === undefined ? "server" : `${values.node}-server`}`,
      ...shared(values),
    ],
  };
}

function agentPart(folder: string, server: Addresses, values: Values): DevPart {
  const [http = ""] = server.http;
  const [vault = ""] = server.vault;
  const [nomad = ""] = server.nomad;
  const datacenter = values["nomad-datacenter"];
  return {
    name: "agent",
    folder,
    // Its tasks have half a minute each, side by side.
    graceMilliseconds: 45_000,
    args: [
      "agent",
      `-data-dir=${join(folder, "agent")}`,
      `-join=${http}`,
      `-join-token-file=${join(folder, "server", "join-token")}`,
      `-http-port=${values["http-port"] ?? 8500}`,
      `-dns-port=${values["dns-port"] ?? 8600}`,
      "-enable-script-checks",
      `-nomad-servers=${nomad}`,
      // The server has the usual one, and passes on what is the agent's to answer.
      "-nomad-port=0",
      `-vault-address=http://${vault}`,
      "-driver-raw-exec",
      "-stop-tasks",
      ...(datacenter === undefined ? [] : [`-nomad-datacenter=${datacenter}`]),
      ...(values.node === undefined ? [] : [`-node=${values.node}`]),
      ...shared(values),
    ],
  };
}

function shared(values: Values): readonly string[] {
  return [
    ...(values["free-ports"] ? ["-free-ports"] : []),
    ...(values["log-level"] === undefined ? [] : [`-log-level=${values["log-level"]}`]),
  ];
}

async function findOrStart(part: DevPart, running: RunningPart[], io: CommandIo): Promise<RunningPart> {
  const found = await findPart(part);
  if (found) await io.stdout(`Found the ${part.name} that an earlier dev left running (process ${found.pid}).\n`);
  const one = found ?? (await startPart(part, io));
  running.push(one);
  return one;
}

async function stopLeft(folder: string, io: CommandIo): Promise<number> {
  const parts = [agentPart(folder, noAddresses, emptyValues), serverPart(folder, "", emptyValues)];
  const found = (await Promise.all(parts.map(findPart))).filter((part) => part !== undefined);
  for (const part of found) {
    await part.end();
    await io.stdout(`Stopped the ${part.name} (process ${part.pid}).\n`);
  }
  if (found.length === 0) await io.stdout(`Nothing of ${folder} is running.\n`);
  return 0;
}

const emptyValues = parsedNothing();

function parsedNothing(): Values {
  const parsed = parseFlags(devFlags, [], "anywhere");
  return parsed.kind === "parsed" ? parsed.values : ({} as Values);
}

// Until the user stops it. A part that ends is started again where it answered before; one that ends at once again ends both.
async function watch(running: RunningPart[], io: CommandIo): Promise<number> {
  const began = new Map(running.map((part) => [part, Number.NEGATIVE_INFINITY]));
  for (;;) {
    const gone = await firstGone(running, io.signal);
    if (io.signal.aborted || !gone) {
      await io.stderr("\nStopping the agent, its tasks, and the server …\n");
      await stopAll(running);
      return 0;
    }
    const said = `The ${gone.name} has ended. Its log says why:\n${await gone.lastLines()}\n`;
    await io.stderr(`\n${said}`);
    if (systemClock.monotonic() - (began.get(gone) ?? 0) < shortestLife) {
      await io.stderr("It has not lived for long: ending everything.\n");
      await stopAll(running);
      return 1;
    }
    const again = await startPart(asItWas(gone), io);
    running[running.indexOf(gone)] = again;
    began.set(again, systemClock.monotonic());
    await io.stderr(`The ${gone.name} was started again, and answers where it did before.\n`);
  }
}

const shortestLife = 5_000;

async function firstGone(running: readonly RunningPart[], until: AbortSignal): Promise<RunningPart | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([until, over.signal]);
  const each = running.map((part) =>
    part.gone(signal).then(
      () => part,
      () => undefined,
    ),
  );
  const gone = await Promise.race(each);
  over.abort();
  return gone;
}

// Its clients know its addresses: it takes those that it had, whichever were wanted at first.
function asItWas({ part, addresses: { http, vault, nomad, dns } }: RunningPart): DevPart {
  const had = { "-http-port": http, "-vault-port": vault, "-nomad-port": nomad, "-dns-port": dns };
  const args = part.args.map((arg) => {
    const [flag = ""] = arg.split("=");
    const port = had[flag as keyof typeof had]?.[0]?.split(":").at(-1);
    return port === undefined ? arg : `${flag}=${port}`;
  });
  return { ...part, args: args.filter((arg) => arg !== "-free-ports") };
}

async function stopAll(running: readonly RunningPart[]): Promise<void> {
  // The agent first: while it says its last words, the server still listens.
  for (const part of [...running].reverse()) await part.end();
}

interface Shown {
  readonly folder: string;
  readonly sealFolder: string;
  readonly server: RunningPart;
  readonly agent: RunningPart;
}

function banner({ folder, sealFolder, server, agent }: Shown, io: CommandIo): string {
  const [http = ""] = agent.addresses.http;
  const [vault = ""] = server.addresses.vault;
  const [nomad = ""] = server.addresses.nomad;
  const [dns = ""] = agent.addresses.dns;
  return [
    "Millwright runs a server and an agent on this machine.",
    "",
    `  Consul HTTP API  http://${http}`,
    `  Vault HTTP API   http://${vault}`,
    `  Nomad HTTP API   http://${nomad}`,
    `  DNS              ${dns}  (dig @127.0.0.1 -p ${dns.split(":").at(-1)} consul.service.consul)`,
    `  Data and logs    ${relative(io.cwd, folder) || folder}`,
    "",
    "  For development: the secrets' unseal key and root token are kept, for this",
    `  user alone, in ${sealFolder}`,
    "",
    ...(http === "127.0.0.1:8500" ? [] : [`  export CONSUL_HTTP_ADDR=http://${http}`]),
    ...(dns === "127.0.0.1:8600" ? [] : [`  export MILLWRIGHT_DNS_ADDR=${dns}`]),
    `  export VAULT_ADDR=http://${vault}`,
    ...(nomad === "127.0.0.1:4646" ? [] : [`  export NOMAD_ADDR=http://${nomad}`]),
    `  export VAULT_TOKEN=$(cat ${join(sealFolder, "root-token")})`,
    "",
    "^C ends both.",
    "",
  ].join("\n");
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`Error: ${text}\n`);
  return 1;
}
