import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Phase, Stage } from "./killed-folder.ts";
import { buildRemote, PluginFolder } from "./plugin-folder.ts";
import type { Process } from "./process.ts";
import { RemoteWorld } from "./remote-world.ts";
import { seededFraction } from "./seeded-fraction.ts";

export interface PluginKillOptions {
  readonly kills: number;
  readonly killsPerStage: number;
  /** What a folder is led through, in this order. */
  readonly stages: readonly Stage[];
  /** How much of the two hundred resources there are. */
  readonly share: number;
}

interface Figures {
  readonly phases: Record<Phase, number>;
  adopted: number;
  asked: number;
  folders: number;
}

type Fraction = () => number;

/** How long the provider takes at most for each way, in milliseconds. */
const delay = 80;

/** Declares the test of so many kills; `SEED` repeats the instants of another run. */
export function testPluginKills(options: PluginKillOptions): void {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  const place = mkdtempSync(join(tmpdir(), "millwright-remote-"));
  let world: RemoteWorld;
  let settings: string;
  beforeAll(async () => {
    [world, settings] = await Promise.all([RemoteWorld.start(), buildRemote(place)]);
  });
  afterAll(async () => {
    await world.stop();
    rmSync(place, { recursive: true });
  });

  const name = `${options.kills} kills while a provider's process works (SEED=${seed}): known or asked, and nothing is made twice`;
  test(name, { timeout: 3_600_000 }, async () => {
    const began = performance.now();
    const figures = await killOften(world, settings, options, seededFraction(seed));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const { before, during, after } = figures.phases;
    process.stdout.write(
      `kill -9 with a provider's process, SEED=${seed}: ${before} before the first change, ${during} during changes, ${after} after the state was saved; ${figures.adopted} creates were taken over, ${figures.asked} were asked about; ${figures.folders} folders of ${Math.round(200 * options.share)} resources in ${seconds} s\n`,
    );
    expect(during).toBeGreaterThan(options.kills / 3 - 1);
  });
}

async function killOften(
  world: RemoteWorld,
  settings: string,
  { kills, killsPerStage, stages, share }: PluginKillOptions,
  fraction: Fraction,
): Promise<Figures> {
  const figures: Figures = { phases: { before: 0, during: 0, after: 0 }, adopted: 0, asked: 0, folders: 0 };
  const counted = () => Object.values(figures.phases).reduce((sum, n) => sum + n, 0);
  while (counted() < kills) {
    const saveEvery = figures.folders % 2 === 0 ? 20 : 0.05;
    const name = `f${figures.folders++}`;
    const folder = await PluginFolder.make({ world, settings, share, delay, name, saveEvery });
    try {
      for (const stage of stages) {
        folder.enter(stage);
        let isDone = false;
        for (let i = 0; i < killsPerStage && counted() < kills && !isDone; i++) {
          const phase = await killOnce(folder, fraction, share);
          isDone = phase === undefined;
          if (!phase) break;
          figures.phases[phase]++;
          await settle(folder, figures);
        }
        if (!isDone) await folder.finish();
        await folder.expectDone();
      }
    } finally {
      folder.remove();
    }
  }
  return figures;
}

/** The next plan, the answers to what it asks, and what must hold then. */
async function settle(folder: PluginFolder, figures: Figures): Promise<void> {
  const { adopted, asked } = await folder.look();
  // A run that was killed before its first change has no journal: its provider sees by itself that it is gone.
  await until(() => folder.providers.length === 0);
  expect(folder.providers, "no provider's process is left").toEqual([]);
  figures.adopted += adopted;
  figures.asked += asked.length;
  await folder.answer(asked);
  expect(folder.twice).toEqual([]);
}

/** Starts a run and kills it; undefined where it ended before that. */
async function killOnce(folder: PluginFolder, fraction: Fraction, share: number): Promise<Phase | undefined> {
  const { serial } = folder;
  const process = folder.start();
  const [kind, instant] = [fraction(), fraction()];
  if (kind < 0.1) await sleep(600 * instant);
  else if (await process.until(() => folder.hasBegun)) {
    if (kind < 0.95) await sleep(1_500 * share * instant);
    else await process.until(() => !folder.hasJournal);
  }
  return end(process, folder, serial);
}

async function end(process: Process, folder: PluginFolder, serial: number): Promise<Phase | undefined> {
  process.signal("SIGKILL");
  const { code } = await process.ended;
  if (code === 0) return undefined;
  if (code !== null) throw new Error(`the run failed by itself:\n${process.out.slice(-3000)}\n${process.err}`);
  return folder.phaseAfterKill(serial);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isSo(); i++) await sleep(50);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
