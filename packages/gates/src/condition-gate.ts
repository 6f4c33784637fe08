import type { Gate, Refusal } from "./gate.ts";

/** Goes on as long as what the change itself declares holds: `check` blocks, conditions of objects; and nothing has failed. */
export function conditionGate(name: string, refusal: Refusal): Gate {
  return {
    name,
    decide: ({ failed, conditions }) => {
      if (failed.length > 0)
        return Promise.resolve({ kind: refusal, because: `${listed(failed)} could not be changed` });
      const broken = conditions.find(({ status }) => status === "fail" || status === "error");
      if (!broken) return Promise.resolve({ kind: "go", because: "all conditions hold" });
      const because = `${broken.name}: ${broken.problems[0] ?? "its condition does not hold"}`;
      return Promise.resolve({ kind: refusal, because });
    },
  };
}

function listed(names: readonly string[]): string {
  const [first, second, ...more] = names;
  if (second === undefined) return `${first}`;
  return more.length === 0 ? `${first} and ${second}` : `${first} and ${more.length + 1} others`;
}
