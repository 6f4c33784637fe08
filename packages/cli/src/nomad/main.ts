import { nomadVersion } from "@millwright/core/followed-versions";
import { similar } from "@millwright/core/similar";
import type { Clock } from "@millwright/core/ports";
import type { CommandIo } from "../io.ts";
import { isHelp, isVersion } from "../words.ts";
import type { NomadCommand } from "./command.ts";

/** A command by the words that call it: its line in the overview, and where it is. */
interface Entry {
  readonly about: string;
  load(): Promise<NomadCommand>;
}

const change = () => import("./commands/job-change.ts");
const lists = () => import("./commands/job-lists.ts");
const control = () => import("./commands/alloc-control.ts");
const nodes = () => import("./commands/node-control.ts");
const deployments = () => import("./commands/deployment.ts");
const evaluations = () => import("./commands/evaluation.ts");
const servers = () => import("./commands/server.ts");

/** All commands of Nomad's command line that are here. */
const commands: Readonly<Record<string, Entry>> = {
  "job plan": {
    about: "Show what running a job would change",
    load: async () => (await import("./commands/job-plan.ts")).planJob,
  },
  "job run": {
    about: "Run a job, or its next version",
    load: async () => (await import("./commands/job-run.ts")).runJob,
  },
  "job status": { about: "Show jobs, or one", load: async () => (await import("./commands/job-status.ts")).jobStatus },
  "job stop": { about: "Stop a job", load: async () => (await import("./commands/job-stop.ts")).stopJob },
  "job validate": {
    about: "Check a job file",
    load: async () => (await import("./commands/job-validate.ts")).validateJob,
  },
  "job inspect": {
    about: "Print a job as JSON",
    load: async () => (await import("./commands/job-inspect.ts")).inspectJob,
  },
  "job history": {
    about: "Show a job's versions",
    load: async () => (await import("./commands/job-history.ts")).jobHistory,
  },
  "job revert": { about: "Go back to a version", load: async () => (await change()).revertJob },
  "job scale": { about: "Set how many allocations a group has", load: async () => (await change()).scaleJob },
  "job eval": { about: "Have a job looked at again", load: async () => (await change()).evaluateJob },
  "job promote": { about: "Let a job's canaries take over", load: async () => (await change()).promoteJob },
  "job dispatch": {
    about: "Make a job of a parameterized one",
    load: async () => (await import("./commands/job-dispatch.ts")).dispatchJob,
  },
  "job deployments": { about: "Show a job's deployments", load: async () => (await lists()).jobDeployments },
  "job allocs": { about: "Show a job's allocations", load: async () => (await lists()).jobAllocations },
  "job init": {
    about: "Write an example of a job file",
    load: async () => (await import("./commands/job-init.ts")).initJob,
  },
  "alloc status": {
    about: "Show an allocation",
    load: async () => (await import("./commands/alloc-status.ts")).allocationStatus,
  },
  "alloc logs": {
    about: "Print what a task has written",
    load: async () => (await import("./commands/alloc-logs.ts")).allocationLogs,
  },
  "alloc fs": {
    about: "Show an allocation's files",
    load: async () => (await import("./commands/alloc-fs.ts")).allocationFiles,
  },
  "alloc stop": { about: "Stop an allocation; another is placed", load: async () => (await control()).stopAllocation },
  "alloc restart": { about: "Restart tasks where they are", load: async () => (await control()).restartAllocation },
  "alloc signal": { about: "Send a signal to tasks", load: async () => (await control()).signalAllocation },
  "node status": {
    about: "Show nodes, or one",
    load: async () => (await import("./commands/node-status.ts")).nodeStatus,
  },
  "node eligibility": { about: "Say whether a node gets new work", load: async () => (await nodes()).nodeEligibility },
  "node drain": { about: "Move a node's work elsewhere", load: async () => (await nodes()).drainNode },
  "deployment list": { about: "Show deployments", load: async () => (await deployments()).listDeployments },
  "deployment status": {
    about: "Show how far a deployment is",
    load: async () => (await deployments()).deploymentStatus,
  },
  "deployment promote": {
    about: "Let the canaries take over",
    load: async () => (await deployments()).promoteDeployment,
  },
  "deployment fail": { about: "Give a deployment up", load: async () => (await deployments()).failDeployment },
  "deployment pause": {
    about: "Stop a deployment where it is",
    load: async () => (await deployments()).pauseDeployment,
  },
  "deployment resume": { about: "Let it go on", load: async () => (await deployments()).resumeDeployment },
  "eval list": { about: "Show evaluations", load: async () => (await evaluations()).listEvaluations },
  "eval status": { about: "Show what came of an evaluation", load: async () => (await evaluations()).evaluationStatus },
  "server members": { about: "Show the servers", load: async () => (await servers()).serverMembers },
  "system gc": { about: "Have what has ended forgotten", load: async () => (await servers()).collectGarbage },
  "agent-info": { about: "Show the agent's own numbers", load: async () => (await servers()).agentInfo },
  status: { about: "Show jobs, or what has an id", load: async () => (await import("./commands/status.ts")).status },
};

/** Words of Nomad's command line as it was in 2016, and shorter ones that it still has. */
const otherWords: Readonly<Record<string, string>> = {
  plan: "job plan",
  run: "job run",
  stop: "job stop",
  validate: "job validate",
  inspect: "job inspect",
  init: "job init",
  logs: "alloc logs",
  fs: "alloc fs",
  "alloc-status": "alloc status",
  "node-status": "node status",
  "node-drain": "node drain",
  "eval-status": "eval status",
  "server-members": "server members",
};

/** Nomad's own command line. Resolves to the exit code. */
export async function runNomad(args: readonly string[], io: CommandIo, clock?: Clock): Promise<number> {
  const [first, ...rest] = args;
  const names = Object.keys(commands);
  if (first === undefined || first === "help" || isHelp(first)) {
    const text = overview({ program: "nomad", names });
    await (first === undefined ? io.stderr(text) : io.stdout(text));
    return first === undefined ? 127 : 0;
  }
  if (isVersion(first)) {
    await io.stdout(`Nomad v${nomadVersion} (served by Millwright)\n`);
    return 0;
  }
  const now = otherWords[first];
  const words = now === undefined ? args : [...now.split(" "), ...rest];
  return dispatch(words, io, { program: "nomad", names, ...(clock ? { clock } : {}) });
}

/** One of our own groups: `millwright job …`, `alloc …`, `node …`, `deployment …`, `eval …`. */
export async function runJobGroup(group: JobGroup, args: readonly string[], io: CommandIo): Promise<number> {
  const names = Object.keys(commands).filter((name) => name.startsWith(`${group} `));
  return dispatch([group, ...args], io, { program: "millwright", names });
}

export type JobGroup = "job" | "alloc" | "node" | "deployment" | "eval";

interface Words {
  readonly program: string;
  /** The commands that may be called. */
  readonly names: readonly string[];
  readonly clock?: Clock;
}

async function dispatch(words: readonly string[], io: CommandIo, { program, names, clock }: Words): Promise<number> {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    if (words.length < count || !names.includes(name)) continue;
    const [command, { runNomadCommand }] = await Promise.all([commands[name]!.load(), import("./command.ts")]);
    return runNomadCommand(command, { program, name, ...(clock ? { clock } : {}) }, words.slice(count), io);
  }
  const [group = "", next] = words;
  const members = names.filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1));
  if (members.length === 0) return refuseWord(group, io, { program, names });
  const within = { program: `${program} ${group}`, names: members, group };
  if (next !== undefined && !isHelp(next)) return refuseWord(next, io, within);
  await (next === undefined ? io.stderr(overview(within)) : io.stdout(overview(within)));
  return next === undefined ? 1 : 0;
}

/** Commands with words in common: `program` are those words, `names` what may follow. */
interface Group {
  readonly program: string;
  readonly names: readonly string[];
  /** The word by which the table has them, where it is not in `names`. */
  readonly group?: string;
}

async function refuseWord(word: string, io: CommandIo, group: Group): Promise<number> {
  const { program, names } = group;
  const near = similar(word, group.group === undefined ? [...names, ...Object.keys(otherWords)] : names);
  const hint = near ? ` Did you mean "${program} ${near}"?` : "";
  await io.stderr(`There is no command "${program} ${word}".${hint}\n\n${overview(group)}`);
  return 127;
}

function overview({ program, names, group }: Group): string {
  const prefix = group === undefined ? "" : `${group} `;
  const lines = names.map((name) => `    ${name.padEnd(20)}${commands[prefix + name]!.about}\n`).join("");
  const short =
    group === undefined
      ? `\nShorter, and as in 2016: ${Object.keys(otherWords).slice(0, 8).join(", ")},\n${Object.keys(otherWords).slice(8).join(", ")}.\n`
      : "";
  const example = group === undefined ? "job plan web.nomad" : (groupExamples[group] ?? names[0]);
  return `Usage: ${program} COMMAND [flags] [arguments]\n\n${lines}${short}\nEach command explains itself: "${program} ${names[0]} -help".\nExample: ${program} ${example}\n`;
}

/** What is typed most of each group. */
const groupExamples: Readonly<Record<string, string>> = {
  job: "plan web.nomad",
  alloc: "logs -f 0af996ed web",
  node: "status",
  deployment: "status 5f9b8d9c",
  eval: "status 9a3ad0b3",
  server: "members",
  system: "gc",
};
