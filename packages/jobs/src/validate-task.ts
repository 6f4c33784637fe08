import type { Findings, Rule } from "./findings.ts";
import { checkRules } from "./findings.ts";
import type { JobPart } from "./job-part.ts";
import type { TaskGroup } from "./job.ts";
import { durationText } from "./nanoseconds.ts";
import type { Artifact, Task, Template, Vault } from "./task.ts";
import { checkAffinities, checkConstraints, restartRules } from "./validate-policies.ts";

/** What else is in an allocation's folder; names that begin with a dot are all the node's. */
const ownNames: ReadonlySet<string> = new Set(["alloc", "private", "state.json"]);

const taskRules: readonly Rule<Task>[] = [
  [({ name }) => name !== "", () => "Missing task name", 'Name the task: task "name" { … }.'],
  [
    ({ name }) => !/[/\\]/.test(name),
    () => "Task name cannot include slashes",
    "The task's folder has its name: write another.",
  ],
  [
    ({ name }) => !name.includes("\0"),
    () => "Task name cannot include null characters",
    "The task's folder has its name: write another.",
  ],
  [
    ({ name }) => !name.startsWith(".") && !ownNames.has(name),
    ({ name }) => `Task name cannot be ${JSON.stringify(name)}`,
    "The task's folder has its name, and that one is another's in the allocation's folder: write another.",
  ],
  [({ driver }) => driver !== "", () => "Missing task driver", 'Say what runs it: driver = "docker" or "raw_exec".'],
  [
    ({ killTimeout }) => killTimeout >= 0,
    () => "KillTimeout must be a positive value",
    "Write kill_timeout as a positive duration.",
  ],
  [
    ({ shutdownDelay }) => shutdownDelay >= 0,
    () => "ShutdownDelay must be a positive value",
    "Write shutdown_delay as a positive duration.",
  ],
  [
    ({ resources: { cpu, cores } }) => cpu === 0 || cores === 0,
    () => "Task can only ask for 'cpu' or 'cores' resource, not both",
    "Take one of the two away.",
  ],
  [
    ({ resources: { cpu, cores } }) => cpu >= 1 || cores >= 1,
    ({ resources: { cpu } }) => `minimum CPU value is 1; got ${cpu}`,
    "Write cpu in MHz, or cores.",
  ],
  [
    ({ resources: { memory } }) => memory >= 10,
    ({ resources: { memory } }) => `minimum MemoryMB value is 10; got ${memory}`,
    "Write memory in MiB.",
  ],
  [
    ({ resources: { memory, memoryMax } }) => memoryMax <= 0 || memoryMax >= memory,
    ({ resources: { memory, memoryMax } }) =>
      `MemoryMaxMB value (${memoryMax}) should be larger than MemoryMB value (${memory})`,
    "memory is what a task is sure to get, memory_max what it may take at most.",
  ],
  [
    ({ logs: { maxFiles } }) => maxFiles >= 1,
    ({ logs: { maxFiles } }) => `minimum number of files is 1; got ${maxFiles}`,
    "Write max_files = 1 or more in the logs block.",
  ],
  [
    ({ logs: { maxFileSize } }) => maxFileSize >= 1,
    ({ logs: { maxFileSize } }) => `minimum file size is 1MB; got ${maxFileSize}`,
    "Write max_file_size = 1 or more in the logs block.",
  ],
  [
    ({ lifecycle }) => lifecycle === null || ["prestart", "poststart", "poststop"].includes(lifecycle.hook),
    ({ lifecycle }) => `Lifecycle validation failed: invalid hook: ${lifecycle?.hook}`,
    'Write hook = "prestart", "poststart" or "poststop".',
  ],
  [
    ({ constraints }) => !constraints.some(({ operand }) => operand.startsWith("distinct_")),
    ({ constraints }) =>
      `Constraint has disallowed Operand at task level: ${constraints.find(({ operand }) => operand.startsWith("distinct_"))?.operand}`,
    "Allocations are kept apart as groups: write that constraint in the group or the job.",
  ],
  [
    ({ templates }) => new Set(templates.map(({ destination }) => destination)).size === templates.length,
    () => "Template has same destination as another",
    "Write each template to a file of its own.",
  ],
];

const artifactRules: readonly Rule<Artifact>[] = [
  [({ source }) => source !== "", () => "source must be specified", "Say where the artifact is fetched: source = …"],
  [
    ({ mode }) => ["any", "file", "dir"].includes(mode),
    ({ mode }) => `invalid artifact mode ${JSON.stringify(mode)}; must be one of: any, file, dir`,
    "Correct mode, or leave it out for any.",
  ],
  [
    ({ destination }) => !escapes(destination),
    () => "artifact destination path escapes the task directory",
    "A task writes inside of its own folder: write a destination without leading ../",
  ],
  [
    ({ options }) => checksumFault(options["checksum"]) === undefined,
    ({ options }) => checksumFault(options["checksum"]) ?? "",
    'Write checksum = "sha256:" and 64 hexadecimal digits, or md5, sha1, sha512 with theirs.',
  ],
];

const changeModes = ["noop", "signal", "script", "restart"];

const templateRules: readonly Rule<Template>[] = [
  [
    ({ source, data }) => source !== "" || data !== "",
    () => "Must specify a source path or have an embedded template",
    "Write the template as data, or the path of a file as source.",
  ],
  [
    ({ destination }) => destination !== "",
    () => "Must specify a destination for the template",
    'Say where it is written: destination = "local/…" or "secrets/…".',
  ],
  [
    ({ destination }) => !escapes(destination),
    () => "template destination escapes the task directory",
    "A task writes inside of its own folder: write a destination without leading ../",
  ],
  [
    ({ changeMode }) => changeModes.includes(changeMode),
    () => "Invalid change mode. Must be one of the following: noop, signal, script, restart",
    "Correct change_mode, or leave it out for restart.",
  ],
  [
    ({ changeMode, changeSignal }) => changeMode !== "signal" || changeSignal !== "",
    () => "Must specify signal value when change mode is signal",
    'Write change_signal = "SIGHUP".',
  ],
  [
    ({ changeMode, env }) => changeMode !== "signal" || !env,
    () => "cannot use signals with env var templates",
    "A running program's environment stays as it is: restart it.",
  ],
  [
    ({ changeMode, changeScript }) => changeMode !== "script" || changeScript !== null,
    () => "must specify change script configuration value when change mode is script",
    "Write a change_script block.",
  ],
  [
    ({ perms }) => perms === "" || /^[0-7]{1,4}$/.test(perms),
    ({ perms }) => `Failed to parse ${JSON.stringify(perms)} as octal`,
    'Write permissions as perms = "0644".',
  ],
  [({ splay }) => splay >= 0, () => "Must specify positive splay value", "Write splay as a positive duration."],
];

const vaultRules: readonly Rule<Vault>[] = [
  [
    ({ changeMode }) => ["noop", "signal", "restart"].includes(changeMode),
    ({ changeMode }) => `Unknown change mode ${JSON.stringify(changeMode)}`,
    'Write change_mode = "noop", "signal" or "restart" in the vault block.',
  ],
  [
    ({ policies }) => !policies.includes("root"),
    () => 'Can not specify "root" policy',
    "A task gets no more than it needs: name its own policies.",
  ],
];

/** What is wrong with a task of a group. */
export function checkTask(task: Task, group: TaskGroup, part: JobPart, findings: Findings): void {
  checkRules(task, taskRules, part, findings);
  // What came down from the group was told there.
  if (JSON.stringify(task.restart) !== JSON.stringify(group.restart)) {
    checkRules(task.restart, restartRules, part, findings);
  }
  checkConstraints(task.constraints, part, findings);
  checkAffinities(task.affinities, part, findings);
  for (const artifact of task.artifacts) checkRules(artifact, artifactRules, part, findings);
  for (const template of task.templates) checkRules(template, templateRules, part, findings);
  if (task.vault) checkRules(task.vault, vaultRules, part, findings);
  checkVolumeMounts(task, group, part, findings);
  const deadline = group.update?.progressDeadline ?? 0;
  if (deadline > 0 && task.killTimeout > deadline) {
    const times = `KillTimeout (${durationText(task.killTimeout)}) longer than the group's ProgressDeadline (${durationText(deadline)})`;
    findings.refuse(part, times, "Write a shorter kill_timeout or a longer progress_deadline.");
  }
}

function checkVolumeMounts(task: Task, group: TaskGroup, part: JobPart, findings: Findings): void {
  for (const { volume, destination } of task.volumeMounts) {
    if (!group.volumes.some(({ name }) => name === volume)) {
      const summary = `Volume Mount (${volume}) references undefined volume ${volume}`;
      findings.refuse(part, summary, `Declare it in the group: volume ${JSON.stringify(volume)} { … }.`);
    }
    if (destination === "") {
      findings.refuse(part, `Volume Mount (${volume}) has no destination`, "Say where it is seen: destination = …");
    }
  }
}

/** Whether a relative path leads out of the folder it starts from; an absolute one is taken from there, too. */
function escapes(path: string): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

const digests: ReadonlyMap<string, number> = new Map([
  ["md5", 32],
  ["sha1", 40],
  ["sha256", 64],
  ["sha512", 128],
]);

function checksumFault(checksum: string | undefined): string | undefined {
  if (checksum === undefined || checksum.includes("${") || checksum.startsWith("file:")) return undefined;
  if (checksum === "") return "checksum value cannot be empty";
  const [type = "", value] = checksum.split(":");
  if (value === undefined) return `checksum must be given as "type:value"; got ${JSON.stringify(checksum)}`;
  const digits = digests.get(type);
  if (digits === undefined) return `unsupported checksum type: ${type}`;
  return value.length === digits && /^[0-9a-f]*$/i.test(value) ? undefined : `invalid ${type} checksum: ${value}`;
}
