import type { Json } from "@millwright/jobs/shape";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskDriver } from "../src/driver/driver.ts";
import { finishedOutputOf, openTaskBench, outputOf, type TaskBench } from "./task-bench.ts";

export interface DriverUnderTest {
  readonly driver: TaskDriver;
  /** The config by which a task runs a line of `sh`, which has `setsid`, `sleep` and `env`. */
  readonly shell: (line: string) => Readonly<Record<string, Json>>;
  readonly close?: () => Promise<void>;
  /** A task's main process is the first one of its own, which the kernel lets nobody kill from within. */
  readonly isFirstProcess?: true;
}

/** What every task driver does, whatever it runs tasks with. */
export function testDriver(name: string, open: () => Promise<DriverUnderTest>): void {
  describe(name, () => {
    let bench: TaskBench;
    let under: DriverUnderTest;
    const start = (line: string, env: Readonly<Record<string, string>> = {}) => {
      return bench.start(under.driver, under.shell(line), { env });
    };

    beforeAll(async () => {
      bench = await openTaskBench();
      under = await open();
    });
    afterAll(async () => {
      await bench.close();
      await under.close?.();
    });

    test("says that it works here", async () => {
      expect(await under.driver.fingerprint()).toMatchObject({ detected: true, healthy: true, description: "Healthy" });
      expect(under.driver.name).toBe(name);
    });

    test("what a task writes is in its log, up to the last word", async () => {
      const { handle, launch } = await start("echo one; echo two >&2; printf three");
      await handle.ended;
      expect(await finishedOutputOf(bench, launch)).toBe("one\nthree");
      expect(outputOf(launch, "stderr")).toBe("two\n");
    });

    test("a task has its environment", async () => {
      const { handle, launch } = await start('echo "$GREETING"', { GREETING: 'it\'s 1 & "2"\nthree' });
      await handle.ended;
      expect(await finishedOutputOf(bench, launch)).toBe('it\'s 1 & "2"\nthree\n');
    });

    for (const code of [0, 1, 77, 137, 255]) {
      test(`exit code ${code} is told`, async () => {
        const began = Date.now();
        const { handle } = await start(`exit ${code}`);
        const exit = await handle.ended;
        expect(exit).toMatchObject({ exitCode: code, signal: 0, oomKilled: false, lost: "" });
        expect(exit.at).toBeGreaterThanOrEqual(began - 1000);
        expect(exit.at).toBeLessThanOrEqual(Date.now() + 1000);
      });
    }

    test("a task that a signal ends is told with that signal", async ({ skip }) => {
      skip(under.isFirstProcess === true, "it cannot kill itself");
      const { handle } = await start("kill -KILL $$");
      expect(await handle.ended).toMatchObject({ exitCode: 137, signal: 9 });
    });

    test("a signal reaches the task's main process", async () => {
      const { handle, launch } = await start(
        'trap "echo caught; exit 3" USR1; echo ready; while :; do sleep 0.05; done',
      );
      await expect.poll(() => outputOf(launch)).toBe("ready\n");
      await handle.signal("SIGUSR1");
      expect(await handle.ended).toMatchObject({ exitCode: 3, signal: 0 });
      expect(await finishedOutputOf(bench, launch)).toBe("ready\ncaught\n");
      await handle.signal("SIGUSR1");
    });

    test("a task that is asked to stop may end by itself", async () => {
      const { handle, launch } = await start('trap "echo bye; exit 4" INT; echo ready; while :; do sleep 0.05; done');
      await expect.poll(() => outputOf(launch)).toBe("ready\n");
      expect(await handle.stop({ signal: "SIGINT", timeoutMilliseconds: 20_000 })).toMatchObject({
        exitCode: 4,
        signal: 0,
      });
      expect(await finishedOutputOf(bench, launch)).toBe("ready\nbye\n");
    });

    test("one that does not end in time is killed", async () => {
      const { handle, launch } = await start('trap "" INT; echo ready; while :; do sleep 0.05; done');
      await expect.poll(() => outputOf(launch)).toBe("ready\n");
      const began = performance.now();
      expect(await handle.stop({ signal: "SIGINT", timeoutMilliseconds: 300 })).toMatchObject({
        exitCode: 137,
        signal: 9,
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(290);
      expect(await handle.stats()).toBeUndefined();
    });

    test("what a task has started ends with it", async () => {
      const { handle, launch } = await start(
        "(while :; do echo tick; sleep 0.05; done) & (sleep 0.2; exit 0) & echo ready; wait %2; exit 5",
      );
      expect(await handle.ended).toMatchObject({ exitCode: 5 });
      const before = await finishedOutputOf(bench, launch);
      expect(before).toContain("tick");
      expect((await handle.stats())?.pids ?? []).toEqual([]);
    });

    test("a task that runs is found again", async () => {
      const { handle, launch } = await start('trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done');
      await expect.poll(() => outputOf(launch)).toBe("ready\n");
      const saved = JSON.parse(JSON.stringify(handle.saved));
      expect(saved.driver).toBe(name);
      const found = await under.driver.recover(saved, launch);
      expect(found).toMatchObject({ startedAt: handle.startedAt, saved });
      expect(await found?.stop({ signal: "SIGTERM", timeoutMilliseconds: 20_000 })).toMatchObject({ exitCode: 6 });
      expect(await handle.ended).toMatchObject({ exitCode: 6 });
    });

    test("one that ended meanwhile is found with its end", async () => {
      const { handle, launch } = await start("exit 7");
      const exit = await handle.ended;
      const found = await under.driver.recover(handle.saved, launch);
      expect(await found?.ended).toEqual(exit);
      expect(await found?.stop({ signal: "SIGINT", timeoutMilliseconds: 20_000 })).toEqual(exit);
    });

    test("one of which nothing is left is not found", async () => {
      const { handle } = await start("exit 0");
      await handle.ended;
      await handle.destroy();
      const other = await bench.launch(under.shell("exit 0"));
      expect(await under.driver.recover(handle.saved, other)).toBeUndefined();
    });

    test("what it uses is told", async () => {
      const { handle, launch } = await start("echo ready; i=0; while :; do i=$((i + 1)); done");
      await expect.poll(() => outputOf(launch)).toBe("ready\n");
      await expect.poll(async () => (await handle.stats())?.cpuTotal).toBeGreaterThan(1e8);
      const stats = await handle.stats();
      expect(stats?.memory).toBeGreaterThan(50_000);
      expect(stats?.pids.length).toBeGreaterThanOrEqual(1);
      await handle.stop({ signal: "SIGKILL", timeoutMilliseconds: 0 });
    });
  });
}
