// How long an instance is away: killed with `kill -9`, and lost with its node, until another process answers where it is found, healthy.
// Ours is found by DNS, Nomad's, where it is installed (`NOMAD_BIN`), in its own list of services and checks. One job for both, with a
// restart delay of 250 ms and a check each second. `node bench/heal.ts [KILLS] [LOSSES]`, 5 and 1 by default.
import { setTimeout as pause } from "node:timers/promises";
import { instanceJob } from "./support/instance-job.ts";
import { median, printTable, timeText } from "./support/measure.ts";
import { peerPrograms } from "./support/peer-agents.ts";
import { type Place, withNomad, withOwn } from "./support/job-places.ts";
import { inFolder } from "./support/programs.ts";

const [kills = 5, losses = 1] = process.argv.slice(2).map(Number);
const mostMilliseconds = 180_000;
const lookMilliseconds = 20;
const rows: string[][] = [];

try {
  await withOwn(measure);
  const { nomad } = peerPrograms;
  if (nomad) await inFolder({}, (folder) => withNomad(nomad, folder, measure));
} finally {
  printTable("Until it is healthy again", ["", "times", "median", "least", "most"], rows);
}

async function measure(place: Place): Promise<void> {
  const registered = performance.now();
  await submit(place, "web", "any");
  let pid = await foundOther(place, "web", 0);
  rows.push(rowOf(`${place.name}: registered`, [performance.now() - registered]));
  const killed: number[] = [];
  for (let i = 0; i < kills; i++) {
    // At any moment of the check's interval.
    await pause(2_000 + Math.random() * 1_000);
    const began = performance.now();
    process.kill(pid, "SIGKILL");
    pid = await foundOther(place, "web", pid);
    killed.push(performance.now() - began);
  }
  rows.push(rowOf(`${place.name}: killed`, killed));
  if (!place.addNode) return;
  const lost: number[] = [];
  for (let i = 0; i < losses; i++) lost.push(await loseNode(place, place.addNode, `lost-${i}`));
  rows.push(rowOf(`${place.name}: lost with its node`, lost));
}

async function loseNode(place: Place, addNode: NonNullable<Place["addNode"]>, name: string): Promise<number> {
  const node = await addNode(name);
  await submit(place, name, name);
  const pid = await foundOther(place, name, 0);
  if (!node.runs(pid)) throw new Error(`${place.name}: ${name} is not where it was to be`);
  await pause(2_000);
  const began = performance.now();
  node.lose();
  await foundOther(place, name, pid);
  return performance.now() - began;
}

async function submit({ url, provider }: Place, name: string, node: string): Promise<void> {
  const body = JSON.stringify({ Job: instanceJob(name, provider, node) });
  const answer = await fetch(`${url}/v1/jobs`, { method: "PUT", body });
  if (!answer.ok) throw new Error(`${url} does not take the job: ${await answer.text()}`);
}

/** The process that answers where the instance is found, once it is not that one. */
async function foundOther(place: Place, service: string, pid: number): Promise<number> {
  for (const giveUp = performance.now() + mostMilliseconds; performance.now() < giveUp; await pause(lookMilliseconds))
    for (const { host, port } of await place.find(service)) {
      const signal = AbortSignal.timeout(1_000);
      const found = await fetch(`http://${host}:${port}/`, { signal }).then(
        async (answer) => Number(await answer.text()),
        () => pid,
      );
      if (found !== pid) return found;
    }
  throw new Error(`${place.name}: ${service} does not come back`);
}

function rowOf(name: string, times: readonly number[]): string[] {
  const shown = [median(times), Math.min(...times), Math.max(...times)].map((time) => timeText(time));
  return [name, String(times.length), ...shown];
}
