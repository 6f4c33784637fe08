import type { VaultSecret } from "@millwright/clients/vault";
import { describe, expect, test } from "vitest";
import { type LeasePlan, planAfterRenewal, planLease } from "./lease-plan.ts";
import { secret } from "./testing/fake-servers.ts";

const settings = { now: 1_000_000, fraction: 0.5, defaultMilliseconds: 300_000, threshold: 0.9, isStored: false };

interface Case {
  readonly name: string;
  readonly input: Partial<VaultSecret>;
  readonly isStored?: boolean;
  readonly want: LeasePlan;
}

const cases: readonly Case[] = [
  {
    name: "a renewable lease is renewed at two thirds",
    input: { leaseId: "a", leaseDuration: 3600, renewable: true },
    want: { kind: "renew", after: 2_400_000, endsAfter: 3_600_000, seconds: 3600 },
  },
  {
    name: "one that cannot be renewed is replaced near its end",
    input: { leaseId: "a", leaseDuration: 3600 },
    want: { kind: "replace", after: 3_240_000 },
  },
  {
    name: "renewable without a lease means nothing",
    input: { leaseDuration: 100, renewable: true },
    want: { kind: "replace", after: 90_000 },
  },
  {
    name: "what has no duration is fresh for the default",
    input: {},
    want: { kind: "replace", after: 270_000 },
  },
  {
    name: "a stored value is read again at the default's pace, whatever duration it claims",
    input: { leaseDuration: 2_764_800 },
    isStored: true,
    want: { kind: "replace", after: 300_000 },
  },
  {
    name: "a stored value that says when it is stale is read before that",
    input: { leaseDuration: 60 },
    isStored: true,
    want: { kind: "replace", after: 54_000 },
  },
  {
    name: "a certificate is replaced near its end",
    input: { data: { certificate: "pem", expiration: 1000 + 100 } },
    want: { kind: "replace", after: 90_000 },
  },
  {
    name: "a secret that rotates is read just after it has",
    input: { data: { rotation_period: 600, ttl: 42 } },
    want: { kind: "replace", after: 43_000 },
  },
  {
    name: "an identity of a role is replaced near its end",
    input: { data: { secret_id: "x", secret_id_ttl: 100 } },
    want: { kind: "replace", after: 90_000 },
  },
];

describe("planLease", () => {
  test.each(cases)("$name", ({ input, isStored = false, want }) => {
    expect(planLease(secret(input), { ...settings, isStored })).toEqual(want);
  });

  test("many programs do not come back at one moment", () => {
    const after = (fraction: number) => planLease(secret({ leaseDuration: 100 }), { ...settings, fraction }).after;
    expect([after(0), after(0.999)].map(Math.round)).toEqual([85_000, 94_990]);
  });
});

describe("planAfterRenewal", () => {
  test("a lease that got all that was asked for goes on", () => {
    const plan = planAfterRenewal(60, { leaseDuration: 60, renewable: true });
    expect(plan).toEqual({ kind: "renew", after: 40_000, endsAfter: 60_000, seconds: 60 });
  });

  test.each([
    { name: "less than was asked for", given: { leaseDuration: 30, renewable: true } },
    { name: "no further renewal", given: { leaseDuration: 30, renewable: false } },
  ])("a lease that got $name is replaced while it still holds", ({ given }) => {
    expect(planAfterRenewal(60, given)).toEqual({ kind: "replace", after: 20_000 });
  });
});
