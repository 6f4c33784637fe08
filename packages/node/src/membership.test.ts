import { describe, expect, test } from "vitest";
import { isOnline, type Membership, type MembershipEvent, stepMembership } from "./membership.ts";

const renewed = (now: number): MembershipEvent => ({ kind: "renewed", now, ttl: 10 });
const failed = (now: number): MembershipEvent => ({ kind: "failed", now, why: "no server" });
const known: MembershipEvent = { kind: "server-known" };

describe("a node's membership", () => {
  const cases: { name: string; events: MembershipEvent[]; want: string }[] = [
    { name: "begins without a server", events: [], want: "unjoined" },
    { name: "stays so whatever fails", events: [failed(1)], want: "unjoined" },
    { name: "is joining when it knows one", events: [known], want: "joining" },
    { name: "says why it is still joining", events: [known, failed(1)], want: "joining: no server" },
    { name: "is alive when it was renewed", events: [known, failed(1), renewed(5)], want: "alive" },
    {
      name: "is alive with a doubt within its time",
      events: [known, renewed(5), failed(14)],
      want: "alive: no server",
    },
    { name: "is lost when its time is over", events: [known, renewed(5), failed(15)], want: "lost: no server" },
    { name: "loses the doubt with a renewal", events: [known, renewed(5), failed(14), renewed(15)], want: "alive" },
    { name: "comes back from being lost", events: [known, renewed(5), failed(15), renewed(99)], want: "alive" },
    {
      name: "joins again when it is forgotten",
      events: [known, renewed(5), { kind: "forgotten", why: "ACL not found" }],
      want: "joining: ACL not found",
    },
    {
      name: "does not come back when it has left",
      events: [known, renewed(5), { kind: "left" }, renewed(6), known],
      want: "left",
    },
  ];
  test.each(cases)("$name", ({ events, want }) => {
    const state = events.reduce(stepMembership, { kind: "unjoined" } as Membership);
    const why = "why" in state && state.why !== undefined ? `: ${state.why}` : "";
    expect(state.kind + why).toBe(want);
    expect(isOnline(state)).toBe(want === "alive");
  });
});
