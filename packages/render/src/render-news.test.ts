import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationalError } from "@millwright/core/errors";
import { type Clock, silentLog, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RenderConfig, TemplateSpec } from "./config.ts";
import { renderErrors } from "./errors.ts";
import { type Rendering, type RenderNews, startRendering } from "./render.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { FakeConsul, FakeVault, followSettings } from "./testing/fake-servers.ts";

let folder: string;
let rendering: Rendering | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "render-news-"));
});
afterEach(async () => {
  rendering?.stop();
  await rendering?.over;
  rmSync(folder, { recursive: true });
});

/** Its timers fire a moment early, as those of the system do now and then. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (milliseconds, signal) => systemClock.sleep(Math.max(0, milliseconds - 2), signal),
};

function start(
  texts: readonly string[],
  mode: RenderConfig["mode"],
  more: Partial<RenderConfig & Pick<TemplateSpec, "checkPlace">> = {},
) {
  const consul = new FakeConsul();
  const news: RenderNews[] = [];
  const templates = texts.map(
    (text, index): TemplateSpec => ({
      ...{ name: `t${index}`, text, destination: join(folder, `t${index}`) },
      ...{ keepsBackup: false, makesFolders: true, missingKey: "default", errorIsFatal: true, deniedFunctions: [] },
      ...(more.checkPlace ? { checkPlace: more.checkPlace } : {}),
    }),
  );
  const config = {
    templates,
    mode,
    isDry: false,
    follow: followSettings,
    renewsToken: false,
    environment: {},
    folder,
    ...more,
  };
  const servers = { consul, vault: new FakeVault(new FakeClock()) };
  const ports = { servers, clock: hastyClock, chance: systemChance, log: silentLog, print: async () => undefined };
  const started = startRendering(config, { ...ports, news: (one) => news.push(one) });
  if (!started.ok) throw new Error("no template");
  rendering = started.rendering;
  return { consul, news };
}

test("what is waited for is told, then what has changed, and once that all is there", async () => {
  const { consul, news } = start(['{{ key "a" }}', "still"], "follow");
  await vi.waitFor(() => expect(news).toHaveLength(2));
  consul.answer(null, 1);
  consul.answer("red", 2);
  await vi.waitFor(() => expect(news).toHaveLength(4));
  consul.answer("green", 3);
  await vi.waitFor(() => expect(news).toHaveLength(5));
  expect(news).toEqual([
    { kind: "changed", templates: [1] },
    { kind: "waiting", sources: ["kv.get(a)"] },
    { kind: "changed", templates: [0] },
    { kind: "complete" },
    { kind: "changed", templates: [0] },
  ]);
});

test("a place that is not to be written to any more is left as it is, and that ends it", async () => {
  let isPlaceGood = true;
  const checkPlace = async () => {
    if (!isPlaceGood) throw new OperationalError(renderErrors.unwritable, "a link leads out of the folder");
  };
  const { consul, news } = start(['{{ key "a" }}'], "follow", { checkPlace });
  consul.answer("red", 1);
  await vi.waitFor(() => expect(news.at(-1)).toEqual({ kind: "complete" }));
  isPlaceGood = false;
  consul.answer("green", 2);
  expect(await rendering?.over).toMatchObject({ kind: "failed", message: expect.stringContaining("leads out") });
  expect(readFileSync(join(folder, "t0"), "utf8")).toBe("red");
});

test("files that are there already are complete without a change", async () => {
  const first = start(["still"], "once");
  await rendering?.over;
  expect(first.news).toEqual([{ kind: "changed", templates: [0] }, { kind: "complete" }]);
  const second = start(["still"], "once");
  await rendering?.over;
  expect(second.news).toEqual([{ kind: "complete" }]);
  expect(readFileSync(join(folder, "t0"), "utf8")).toBe("still");
});

test("a wait that is looked at a moment early is looked at again", async () => {
  const { consul, news } = start(['{{ key "a" }}'], "follow", { wait: { least: 20, most: 40 } });
  consul.answer("red", 1);
  await vi.waitFor(() => expect(news.at(-1)).toEqual({ kind: "complete" }));
  consul.answer("green", 2);
  await vi.waitFor(() => expect(readFileSync(join(folder, "t0"), "utf8")).toBe("green"));
});
