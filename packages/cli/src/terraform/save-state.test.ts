import { emptyState, StateBuilder } from "@millwright/engine/state";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OpenState } from "./open-state.ts";
import { SaverOnTheWay } from "./save-state.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the state of a long run is saved on the way", () => {
  const cases = [
    { name: "every 20 s", env: {}, want: [20, 40] },
    {
      name: "as often as TF_STATE_PERSIST_INTERVAL says",
      env: { TF_STATE_PERSIST_INTERVAL: "15" },
      want: [15, 30, 45],
    },
    { name: "every 20 s where that is no length", env: { TF_STATE_PERSIST_INTERVAL: "soon" }, want: [20, 40] },
  ];
  test.each(cases)("$name", async ({ env, want }) => {
    const saved: number[] = [];
    let second = 0;
    const kept = { write: async () => void saved.push(second) };
    const saver = new SaverOnTheWay({ kept } as unknown as OpenState, env);
    for (second = 1; second <= 45; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      saver.offer(new StateBuilder(emptyState));
      await saver.settled();
    }
    expect(saved).toEqual(want);
  });
});
