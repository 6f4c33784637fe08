import type { Allocation } from "./allocation.ts";
import { hasEnded } from "./allocation.ts";
import { changeTo } from "./change.ts";
import type { Fate } from "./fate.ts";
import { fateOf } from "./fate.ts";
import type { FollowUp, GroupInput, GroupPlan, Intent, Stopping } from "./group-plan.ts";
import { descriptions, intent, stopping } from "./group-plan.ts";
import { freeIndexes } from "./names.ts";
import { allowanceOf, beginsRollout, type RolloutView } from "./rollout.ts";
import type { Moment } from "./time.ts";

/**
 * What shall become of a group of a service or batch job: which of its allocations stay, which stop, which are replaced and
 * why, and how many more there shall be. It asks for no more at a time than the rollout allows.
 */
export function reconcileGroup(input: GroupInput): GroupPlan {
  const members = input.allocations.map((allocation) => ({ allocation, fate: fateOf(allocation, input) }));
  const of = (kind: Fate["kind"]) => members.filter(({ fate }) => fate.kind === kind);
  const canaries = of("canary").map(({ allocation }) => allocation);
  const { staying, leaving, unneeded } = fitToCount(settleMigrations(members, input), input);
  const changes = changesOf(
    staying.map(({ allocation }) => allocation),
    input,
  );
  const view: RolloutView = {
    ...input,
    staying: staying.map(({ allocation }) => allocation),
    canaries,
    destructive: changes.destructive,
    inPlace: changes.inPlace,
    placing: Math.max(leaving.length, input.group.count - staying.length),
  };
  const allowance = allowanceOf(view);
  const next = nextIntents({ input, view, allowance, leaving });
  const replaced = new Set(next.destructive.map(({ previous }) => previous));
  const waiting = changes.destructive.filter((one) => !replaced.has(one));
  const unneededCanaries = of("unneededCanary").map(({ allocation }) => allocation);
  const stop: Stopping[] = [...unneeded.map(({ allocation }) => allocation), ...unneededCanaries].map((allocation) =>
    stopping(allocation, input.nodes, descriptions.notNeeded),
  );
  const inPlace = allowance.isHeld ? [] : changes.inPlace;
  return {
    group: input.group.name,
    intents: [...next.others, ...next.destructive],
    stop,
    inPlace,
    ignore: [...changes.same, ...waiting, ...canaries, ...(allowance.isHeld ? changes.inPlace : [])],
    waiting: waiting.length,
    followUps: followUpsOf([...staying, ...leaving], allowance.resumesAt, waiting.length, input),
    rollout: beginsRollout(view),
  };
}

/** An allocation that counts, or that something comes instead of. */
interface Member {
  readonly allocation: Allocation;
  readonly fate: Fate;
}

/** Lets so many migrate at a time as the group allows, the others stay for now. */
function settleMigrations(members: readonly Member[], { group }: GroupInput): readonly Member[] {
  const unsettled = members.filter(
    ({ allocation, fate }) => fate.kind === "kept" && !hasEnded(allocation) && allocation.healthy !== true,
  );
  let budget = Math.max(0, (group.migrate?.maxParallel ?? 1) - unsettled.length);
  return members.map((member): Member => {
    const { fate } = member;
    if (fate.kind !== "migrate" || fate.atOnce || budget-- > 0) return member;
    const { deadline } = fate;
    const wake = deadline === null ? {} : { wake: { at: deadline, because: "drain deadline" as const } };
    return { ...member, fate: { kind: "kept", ...wake } };
  });
}

interface Fitted {
  readonly staying: readonly Member[];
  /** What is lost, failed or migrates, and is replaced. */
  readonly leaving: readonly Member[];
  readonly unneeded: readonly Member[];
}

const leavingKinds: ReadonlySet<Fate["kind"]> = new Set(["lost", "migrate", "reschedule"]);

/** One allocation a name, and no more than the count: those that do most good stay. */
function fitToCount(members: readonly Member[], { group, version }: GroupInput): Fitted {
  const counted = members.filter(({ fate }) => fate.kind === "kept" || leavingKinds.has(fate.kind));
  const unneeded: Member[] = [];
  const unique: Member[] = [];
  for (const same of Map.groupBy(counted, ({ allocation }) => allocation.index).values()) {
    const [best, ...others] = same.sort((a, b) => worth(b, version) - worth(a, version));
    unique.push(best!);
    unneeded.push(...others);
  }
  const ranked = unique.sort((a, b) => standing(a) - standing(b) || a.allocation.index - b.allocation.index);
  unneeded.push(...ranked.slice(group.count));
  const wanted = ranked.slice(0, group.count);
  return {
    staying: wanted.filter(({ fate }) => fate.kind === "kept"),
    leaving: wanted.filter(({ fate }) => fate.kind !== "kept"),
    // What has ended well needs no stopping; it is there to be looked at.
    unneeded: unneeded.filter(({ allocation }) => allocation.client !== "complete"),
  };
}

/** Of two with one name: the newer version, as its canaries were promoted; then what is well. */
function worth({ allocation, fate }: Member, version: number): number {
  const isNew = allocation.version === version && fate.kind === "kept";
  return Number(isNew) * 4 + Number(fate.kind === "kept") * 2 + Number(allocation.healthy === true);
}

/** When there are too many: those that run stay before those that failed, and these before those that must leave anyway. */
function standing({ allocation, fate }: Member): number {
  if (fate.kind !== "kept") return 2;
  return allocation.client === "failed" ? 1 : 0;
}

interface Changes {
  readonly same: readonly Allocation[];
  readonly inPlace: readonly Allocation[];
  /** In the order in which they are replaced: first those that do no good. */
  readonly destructive: readonly Allocation[];
}

function changesOf(staying: readonly Allocation[], input: GroupInput): Changes {
  const byKind = Map.groupBy(staying, changeTo(input));
  const destructive = byKind.get("destructive") ?? [];
  return {
    same: byKind.get("same") ?? [],
    inPlace: byKind.get("inPlace") ?? [],
    destructive: destructive.sort((a, b) => service(a) - service(b) || a.index - b.index),
  };
}

/** How much good an allocation does to those who use it. */
function service({ client, healthy }: Allocation): number {
  if (client !== "running" || healthy === false) return 0;
  return healthy === true ? 2 : 1;
}

interface NextInput {
  readonly input: GroupInput;
  readonly view: RolloutView;
  readonly allowance: ReturnType<typeof allowanceOf>;
  readonly leaving: readonly Member[];
}

/** What is placed now: replacements, what is missing, canaries and the next batch. */
function nextIntents({ input, view, allowance, leaving }: NextInput): {
  readonly others: readonly Intent[];
  readonly destructive: readonly Intent[];
} {
  const { group, version, versions } = input;
  // What the new version has not earned yet stays the old one's.
  const isUnearned = allowance.isHeld || allowance.isCanarying || allowance.isOnTrial;
  const versionFor = ({ version: old }: Allocation) => (isUnearned && versions.has(old) ? old : version);
  const replacements = leaving.flatMap(({ allocation, fate }) => {
    const kind = fate.kind;
    if (kind !== "lost" && kind !== "migrate" && kind !== "reschedule") return [];
    const delay = fate.kind === "reschedule" ? fate.delay : 0;
    const endsAnyway = kind === "lost" || (fate.kind === "migrate" && fate.isOverdue);
    return [intent(kind, allocation.index, versionFor(allocation), { previous: allocation, delay, endsAnyway })];
  });
  const present = [...view.staying, ...leaving.map(({ allocation }) => allocation)];
  const missing = allowance.isHeld || allowance.isCanarying ? 0 : Math.max(0, group.count - present.length);
  const used = new Set([...present, ...view.canaries].map(({ index }) => index));
  const places = freeIndexes(used, missing).map((index) => intent("place", index, version));
  const destructive = view.destructive
    .slice(0, allowance.batch)
    .map((previous) => intent("destructive", previous.index, version, { previous }));
  const canaryIndexes = freeIndexes(
    new Set([...view.canaries.map(({ index }) => index), ...places.map(({ index }) => index)]),
    allowance.canaries,
    view.destructive.map(({ index }) => index),
    used,
  );
  const canaries = canaryIndexes.map((index) => intent("canary", index, version));
  return { others: [...replacements, ...places, ...canaries], destructive };
}

function followUpsOf(
  members: readonly Member[],
  resumesAt: Moment | null,
  waiting: number,
  { group }: GroupInput,
): readonly FollowUp[] {
  const wakes = members.flatMap(({ fate }): FollowUp[] =>
    fate.kind === "kept" && fate.wake ? [{ ...fate.wake, group: group.name }] : [],
  );
  if (resumesAt !== null && waiting > 0) wakes.push({ at: resumesAt, group: group.name, because: "stagger" });
  return wakes;
}
