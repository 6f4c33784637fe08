import { expect, test } from "vitest";
import { keepToken } from "./token.ts";
import { FakeClock } from "./testing/fake-clock.ts";
import { FakeVault, following, refused, secret, unreachable } from "./testing/fake-servers.ts";

function keeping(prepare: (vault: FakeVault) => void = () => undefined) {
  const clock = new FakeClock();
  const vault = new FakeVault(clock);
  prepare(vault);
  const { log, control } = following(clock, vault);
  const over = keepToken({ vault, clock, log, signal: control.signal });
  over.catch(() => undefined);
  return { clock, vault, log, control, over };
}

test("a token is renewed at two thirds of its life", async () => {
  const { clock, vault, control, over } = keeping();
  await clock.advance(85_000);
  expect(vault.calls).toEqual(["lookup", "renew-self by 60", "lookup", "renew-self by 60", "lookup"]);
  control.abort();
  await expect(over).rejects.toBe(control.signal.reason);
});

test("a token that does not end is left alone", async () => {
  const { vault, log, over } = keeping((fake) => {
    fake.duration = 0;
  });
  await over;
  expect([vault.calls, log.lines]).toEqual([["lookup"], []]);
});

test("a server that cannot be reached for a while is asked again", async () => {
  let isDown = true;
  const { clock, vault, log, control } = keeping((fake) => {
    fake.renewal = () => {
      if (isDown) throw unreachable;
      return secret({ renewable: true });
    };
  });
  await clock.advance(40_000);
  isDown = false;
  await clock.advance(40_000);
  expect(log.lines).toEqual(["warn cannot renew the token: Cannot reach it: refused."]);
  expect(vault.calls.filter((call) => call.startsWith("renew"))).toHaveLength(2);
  control.abort();
});

test("a token that nobody may ask for is said once", async () => {
  const { log, over } = keeping((fake) => {
    fake.lookupSelf = () => Promise.reject(refused);
  });
  await over;
  expect(log.lines).toHaveLength(1);
});
