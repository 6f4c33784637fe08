import { messageOf } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Gate, Refusal } from "./gate.ts";
import { httpLook, type HttpProbe } from "./http-gate.ts";
import { prometheusQuery, type PrometheusQuery } from "./prometheus.ts";
import { shownAddress } from "./shown-address.ts";

export interface Budget {
  /** The share of what must go well: 0.999. */
  readonly objective: number;
  /** Over how long; milliseconds. */
  readonly window: number;
  /** How much of the budget may be spent before the next wave is refused: 1 is all of it. */
  readonly most: number;
  readonly refusal: Refusal;
}

/** Where the share of what went well comes from. */
export type BudgetSource =
  /** A query whose answer is that share over the window. */
  | { readonly kind: "prometheus"; readonly query: PrometheusQuery }
  /** An address that is asked every `interval` milliseconds as long as the run lasts. */
  | { readonly kind: "probe"; readonly probe: HttpProbe; readonly interval: number };

/**
 * Refuses the next wave once an objective's error budget is spent: of what may go wrong (1 - objective) over the window, the
 * part that has.
 */
export function budgetGate(name: string, budget: Budget, source: BudgetSource, clock: Clock): Gate {
  if (source.kind === "prometheus") {
    const ask = prometheusQuery(source.query);
    return {
      name,
      decide: async (_, signal) => {
        try {
          return spent(budget, await ask(signal), source.query.query);
        } catch (error) {
          signal.throwIfAborted();
          return { kind: "stop", because: `what is left of the error budget is not known: ${messageOf(error)}` };
        }
      },
    };
  }
  // Those of a thousandth of the window are counted together: however often it looks, and how long, it keeps a thousand numbers.
  const looks: { readonly at: number; good: number; all: number }[] = [];
  const count = (isGood: boolean, now: number) => {
    const last = looks.at(-1);
    const within = last && now - last.at < budget.window / 1000 ? last : { at: now, good: 0, all: 0 };
    if (within !== last) looks.push(within);
    within.all++;
    within.good += Number(isGood);
    while (looks.length > 0 && looks[0]!.at < now - budget.window) looks.shift();
  };
  const look = httpLook(source.probe);
  return {
    name,
    watch: async (signal) => {
      while (!signal.aborted) {
        const { good } = await look(signal).catch(() => ({ good: false }));
        if (signal.aborted) return;
        count(good, clock.now());
        await clock.sleep(source.interval, signal).catch(() => undefined);
      }
    },
    decide: () => {
      if (looks.length === 0)
        return Promise.resolve({
          kind: "wait",
          because: `${shownAddress(source.probe.url)} was not looked at yet`,
          milliseconds: source.interval,
        });
      const sum = (part: "good" | "all") => looks.reduce((total, one) => total + one[part], 0);
      return Promise.resolve(
        spent(budget, sum("good") / sum("all"), `${sum("all")} looks at ${shownAddress(source.probe.url)}`),
      );
    },
  };
}

function spent({ objective, most, refusal }: Budget, good: number, of: string) {
  const part = objective === 1 ? (good === 1 ? 0 : Infinity) : (1 - good) / (1 - objective);
  const share = Number.isFinite(part) ? `${Math.round(part * 100)} %` : "more than all";
  const because = `${share} of the error budget is spent (${percent(good)} good where ${percent(objective)} is wanted, by ${of})`;
  return part >= most ? ({ kind: refusal, because } as const) : ({ kind: "go", because } as const);
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))} %`;
}
