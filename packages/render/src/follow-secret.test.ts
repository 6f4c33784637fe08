import { Struct } from "@millwright/template/value";
import type { TemplateValue } from "@millwright/template/value";
import { afterEach, describe, expect, test } from "vitest";
import { follow } from "./follow.ts";
import { parseNamesSource, parseSecretSource, type Source } from "./source.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { FakeVault, following, refused, secret, unreachable } from "./testing/fake-servers.ts";

const running: { control: AbortController; over: Promise<void> }[] = [];
afterEach(async () => {
  for (const { control, over } of running.splice(0)) {
    control.abort();
    await over.catch(() => undefined);
  }
});

function sourceOf(path: string, data?: Record<string, string>): Source {
  const parsed = parseSecretSource(path, data);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.source;
}

function started(source: Source, vault?: (clock: FakeClock) => FakeVault) {
  const clock = new FakeClock();
  const all = following(clock, vault?.(clock));
  const over = follow(source, all.context);
  over.catch(() => undefined);
  running.push({ control: all.control, over });
  return { ...all, clock, over };
}

function names(values: readonly TemplateValue[]): readonly unknown[] {
  return values.map((value) =>
    value instanceof Struct && value.fields.Data instanceof Map ? value.fields.Data.get("username") : value,
  );
}

describe("a leased secret", () => {
  test("is renewed at two thirds, again and again, and told once", async () => {
    const { clock, vault, values, leases } = started(sourceOf("db/creds/web"));
    await clock.advance(39_000);
    expect(vault.calls).toEqual(["read db/creds/web"]);
    await clock.advance(82_000);
    const renewal = "renew lease-1 by 60";
    expect({ calls: vault.calls, names: names(values) }).toEqual({
      calls: ["read db/creds/web", renewal, renewal, renewal],
      names: ["user-1"],
    });
    expect([...leases]).toEqual([["lease-1", 1_000_000 + 120_000 + 60_000]]);
  });

  test("is replaced before it ends when it comes to its maximum", async () => {
    const { clock, vault, values } = started(sourceOf("db/creds/web"));
    vault.renewal = () => secret({ leaseDuration: 30, renewable: true });
    await clock.advance(40_000 + 19_000);
    expect(names(values)).toEqual(["user-1"]);
    await clock.advance(1000);
    expect(names(values)).toEqual(["user-1", "user-2"]);
  });

  test("is replaced at once when its lease is gone", async () => {
    const { clock, vault, values, log } = started(sourceOf("db/creds/web"));
    vault.renewal = () => {
      throw refused;
    };
    await clock.advance(40_000);
    expect(names(values)).toEqual(["user-1", "user-2"]);
    expect(log.lines).toEqual([
      "warn vault.read(db/creds/web): cannot renew the lease: answered 400: lease not found (reading a new one)",
    ]);
  });

  test("is renewed later when the server cannot be reached for a while", async () => {
    const { clock, vault, values } = started(sourceOf("db/creds/web"));
    let isDown = true;
    vault.renewal = () => {
      if (isDown) throw unreachable;
      return secret({ leaseDuration: 60, renewable: true });
    };
    await clock.advance(45_000);
    isDown = false;
    await clock.advance(10_000);
    expect(names(values)).toEqual(["user-1"]);
    expect(vault.calls.length).toBeGreaterThan(3);
  });

  test("is read anew in time when the server cannot be reached until its end", async () => {
    const { clock, vault, values } = started(sourceOf("db/creds/web"));
    vault.renewal = () => {
      throw unreachable;
    };
    await clock.advance(59_000);
    expect(names(values)).toEqual(["user-1", "user-2"]);
  });

  test("is renewed no more when nobody follows it", async () => {
    const { clock, vault, control, over } = started(sourceOf("db/creds/web"));
    await clock.advance(1000);
    control.abort();
    await expect(over).rejects.toBe(control.signal.reason);
    await clock.advance(600_000);
    expect([vault.calls, clock.pending]).toEqual([["read db/creds/web"], []]);
  });
});

describe("a stored secret", () => {
  function kv(version: string) {
    return (clock: FakeClock) => {
      const vault = new FakeVault(clock);
      vault.mount = { path: "secret/", type: "kv", version };
      vault.next = () => secret({ data: { data: { color: "green" } } });
      return vault;
    };
  }

  test("is read again each five minutes, and told when it has changed", async () => {
    const { clock, vault, values } = started(sourceOf("secret/app"), kv("2"));
    await clock.advance(300_000);
    expect([vault.calls, values.length]).toEqual([["read secret/data/app", "read secret/data/app"], 1]);
    vault.next = () => secret({ requestId: "other", data: { data: { color: "blue" } } });
    await clock.advance(300_000);
    expect(values.length).toBe(2);
  });

  test("that is not there is asked for again, and is a failure in the end", async () => {
    const { clock, vault, log, over } = started(sourceOf("secret/app"), kv("1"));
    vault.next = () => undefined;
    await clock.advance(251);
    const missing = "There is no secret at secret/app (http://vault). Write it there, or correct the path.";
    expect(log.lines).toEqual([
      `warn vault.read(secret/app): ${missing} (retry attempt 1 after 250ms)`,
      `warn vault.read(secret/app): ${missing} (retry attempt 2 after 500ms)`,
    ]);
    await clock.advance(3_600_000);
    await expect(over).rejects.toThrow(missing);
    expect(vault.calls.length).toBe(13);
  });

  test("that was deleted is not there", async () => {
    const { clock, vault, values } = started(sourceOf("secret/app"), kv("2"));
    vault.next = () => secret({ data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00Z" } } });
    await clock.advance(100);
    expect(values).toEqual([]);
  });

  test("is written in the form of its engine", async () => {
    const { clock, vault } = started(sourceOf("secret/app", { a: "1" }), kv("2"));
    await clock.advance(10);
    expect(vault.calls).toEqual(['write secret/data/app {"data":{"a":"1"}}']);
  });
});

test("names under a path are told in their order, and again when they change", async () => {
  const parsed = parseNamesSource("secret");
  if (!parsed.ok) throw new Error(parsed.error);
  const { clock, vault, values } = started(parsed.source, (at) => {
    const kv = new FakeVault(at);
    kv.mount = { path: "secret/", type: "kv", version: "2" };
    return kv;
  });
  await clock.advance(300_000);
  expect(vault.calls).toEqual(["list secret/metadata", "list secret/metadata"]);
  expect(values).toMatchObject([{ elements: ["a", "b"] }]);
});
