import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { KilledFolder, type Phase, type Stage } from "./killed-folder.ts";
import type { Process } from "./process.ts";
import { seededFraction } from "./seeded-fraction.ts";

interface KillFigures {
  readonly phases: Record<Phase, number>;
  /** How many folders were led to their end. */
  folders: number;
}

const stages: readonly Stage[] = ["made", "changed", "destroyed"];
const killsPerStage = 9;

type Fraction = () => number;

/** Declares the test of so many kills; `SEED` repeats the instants of another run. */
export function testKills(kills: number): void {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  let server: DevServer;
  beforeAll(async () => {
    server = await startDevServer();
  });
  afterAll(() => server.stop());

  const name = `${kills} kills at random instants (SEED=${seed}) lose nothing, and nothing is created twice`;
  test(name, { timeout: 3_600_000 }, async () => {
    const began = performance.now();
    const { phases, folders } = await killOften(server, kills, seededFraction(seed), 2);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const { before, during, after } = phases;
    process.stdout.write(
      `kill -9, SEED=${seed}: ${before} before the first change, ${during} during changes, ${after} after the state was saved; ${folders} folders of 100 resources in ${seconds} s\n`,
    );
    expect(before + during + after).toBeGreaterThanOrEqual(kills);
    expect(during).toBeGreaterThan(kills / 3);
  });
}

/**
 * Kills runs of a hundred resources at random instants until there have been so many kills, several folders at a time: while
 * they are made, changed and destroyed. After each kill the next plan must be true, and in the end every object is there once.
 */
async function killOften(server: DevServer, kills: number, fraction: Fraction, lanes: number): Promise<KillFigures> {
  const figures: KillFigures = { phases: { before: 0, during: 0, after: 0 }, folders: 0 };
  const counted = () => Object.values(figures.phases).reduce((sum, n) => sum + n, 0);
  let names = 0;
  const lane = async () => {
    while (counted() < kills) {
      const name = `folder-${names++}`;
      const folder = new KilledFolder(server.address, name, names % 2 === 0 ? 0.02 : 20);
      for (const stage of stages) {
        folder.enter(stage);
        let isDone = false;
        for (let i = 0; i < killsPerStage && counted() < kills; i++) {
          const phase = await killOnce(folder, fraction);
          isDone = phase === undefined;
          if (phase === undefined) break;
          figures.phases[phase]++;
          await folder.expectPlanIsTrue();
        }
        if (!isDone) await folder.finish();
        await folder.expectDone();
      }
      await folder.remove();
      figures.folders++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return figures;
}

/** Starts a run and kills it; undefined where it ended before that. */
async function killOnce(folder: KilledFolder, fraction: Fraction): Promise<Phase | undefined> {
  const { serial } = folder;
  const process = folder.start();
  const [kind, instant] = [fraction(), fraction()];
  if (kind < 0.2) await sleep(300 * instant);
  else if (await process.until(() => folder.hasJournal)) {
    if (kind < 0.9) await sleep(300 * instant * instant);
    else await process.until(() => !folder.hasJournal);
  }
  return end(process, folder, serial);
}

async function end(process: Process, folder: KilledFolder, serial: number): Promise<Phase | undefined> {
  process.signal("SIGKILL");
  const { code } = await process.ended;
  if (code === 0) return undefined;
  if (code !== null) throw new Error(`the run failed by itself:\n${process.out.slice(-2000)}\n${process.err}`);
  return folder.phaseAfterKill(serial);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
