import { parseArgs } from "node:util";
import { messageOf } from "@millwright/core/errors";
import { Factory } from "./factory.ts";
import { FactoryCheck } from "./factory-check.ts";
import { runSecretsSteps } from "./secrets-steps.ts";
import { Stage, StepFailed } from "./stage.ts";
import { runSteps } from "./steps.ts";

const help = `npm start runs the widget factory on this machine, in a fresh folder: a server
and an agent; one plan of a database, its secrets, and a program in several
instances; then it tells what to try, and stays until ^C, which ends all of it.

  npm start                       the factory
  npm start -- --check            the same unattended, and what it must stand: kills,
                                  a new release, one that does not work; then the
                                  examples below; exits non-zero where a step falls short
  npm start -- --docker           the program from an image that is made here, by the
                                  container engine of this machine
  npm start -- --example=kv       five steps of one small configuration
  npm start -- --example=secrets  logins to a database that are leased and taken back
`;

/** The exit code of what was stopped before it had come to its end. */
const interrupted = 130;

const values = readFlags();
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

const examples: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  kv: (stage) => runSteps(stage, "millwright"),
  secrets: runSecretsSteps,
};

const example = values.example === undefined ? undefined : examples[values.example];
if (values.example !== undefined && !example)
  refuse(`There is no example ${JSON.stringify(values.example)}: there are ${Object.keys(examples).join(" and ")}.`);
const isUnattended = values.check || !process.stdout.isTTY;
const over = new AbortController();
const stopped = new Promise<"stopped">((resolve) => over.signal.addEventListener("abort", () => resolve("stopped")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => over.abort());
let stage: Stage | undefined;
let isLeftRunning = false;
try {
  stage = await Stage.open(isUnattended ? "any" : "usual", over.signal);
  const running = run(stage);
  // What was under way when it was stopped fails with what it works on; that is no news.
  running.catch(() => undefined);
  if ((await Promise.race([running, stopped])) === "stopped" && !isLeftRunning) process.exitCode = interrupted;
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  if (over.signal.aborted) process.exitCode = interrupted;
  else {
    process.stderr.write(`\nThis step fell short: ${error.message}\n`);
    process.exitCode = 1;
  }
} finally {
  await stage?.close();
}
process.exit();

async function run(stage: Stage): Promise<void> {
  if (example) {
    await example(stage);
    if (isUnattended) return sayFacts(stage);
    stage.sayWhatNext();
    return leaveRunning();
  }
  stage.title("The widget factory: one plan");
  if (values.docker) await checkEngine(stage);
  const factory = await Factory.prepare(stage, values.docker ? "docker" : "raw_exec");
  const { code } = await factory.apply("1");
  stage.fact(code === 0, "the factory is applied");
  if (!isUnattended) {
    stage.sayFactoryRuns(await factory.jobs.find("api.widgets.service.consul"));
    return leaveRunning();
  }
  await new FactoryCheck(stage, factory).run();
  await runSteps(stage, "millwright");
  await runSteps(stage, "terraform");
  await runSecretsSteps(stage);
  sayFacts(stage);
}

function readFlags() {
  const options = {
    check: { type: "boolean" },
    docker: { type: "boolean" },
    example: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(`${messageOf(error)}.`);
  }
}

function refuse(why: string): never {
  process.stderr.write(`${why}\nSee npm start -- --help.\n`);
  process.exit(1);
}

async function leaveRunning(): Promise<void> {
  isLeftRunning = true;
  await stopped;
}

// Asked of the agent, which knows what it can run.
async function checkEngine({ addresses }: Stage): Promise<void> {
  const answer = await fetch(`http://${addresses.nomad}/v1/nodes`);
  const [node] = (await answer.json()) as readonly { readonly Drivers: Readonly<Record<string, Driver>> }[];
  const docker = node?.Drivers.docker;
  if (!docker?.Healthy)
    throw new StepFailed(`--docker: ${docker?.HealthDescription ?? "the agent has no driver docker"}`);
}

interface Driver {
  readonly Healthy: boolean;
  readonly HealthDescription: string;
}

function sayFacts(stage: Stage): void {
  stage.say(`\n${stage.facts} facts were checked, and all of them hold.`);
}
