import { isKind } from "@millwright/core/errors";
import { systemChance } from "@millwright/core/ports";
import { describe, expect, test } from "vitest";
import { unwrapKey } from "../barrier/keyring.ts";
import { secretsErrors } from "../errors.ts";
import { decodeSealRecord, encodeSealRecord, openSeal, type SealRecord, sealRootKey } from "./seal-record.ts";
import { combineShares, faultOfShares, parseUnsealKey, splitSecret } from "./shares.ts";
import { noProgress, withKey } from "./unseal-progress.ts";

describe("shares", () => {
  const secret = Buffer.from("c0ffee00112233445566778899aabbccddeeff00112233445566778899aabbcc", "hex");

  for (const [shares, threshold] of [
    [1, 1],
    [2, 2],
    [5, 3],
    [255, 2],
    [12, 12],
  ] as const) {
    test(`any ${threshold} of ${shares} give the secret, one fewer does not`, async () => {
      const keys = await splitSecret(secret, shares, threshold);
      expect(keys.length).toBe(shares);
      expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(shares);
      const some = keys.toSorted(() => systemChance.fraction() - 0.5).slice(0, threshold);
      expect(Buffer.from(await combineShares(some)).equals(secret)).toBe(true);
      if (threshold < 3) return;
      expect(Buffer.from(await combineShares(some.slice(1))).equals(secret)).toBe(false);
    });
  }

  // Worked out by hand over GF(2^8) with the polynomial x^8+x^4+x^3+x+1: f(x) = 0x53 + 0xCA·x at x = 1 and x = 2.
  test("shares are points of a polynomial over GF(2^8), the point at the end", async () => {
    const points = [Uint8Array.of(0x53 ^ 0xca, 1), Uint8Array.of(0x53 ^ 0x8f, 2)];
    expect(await combineShares(points)).toEqual(Uint8Array.of(0x53));
  });

  for (const { shares, threshold, fault } of [
    { shares: 1, threshold: 1, fault: undefined },
    { shares: 255, threshold: 255, fault: undefined },
    { shares: 0, threshold: 1, fault: /from 1 to 255/ },
    { shares: 256, threshold: 3, fault: /from 1 to 255/ },
    { shares: 5, threshold: 0, fault: /at least 1/ },
    { shares: 5, threshold: 1, fault: /above 1/ },
    { shares: 5, threshold: 6, fault: /must not be above/ },
    { shares: 2.5, threshold: 2, fault: /from 1 to 255/ },
  ]) {
    test(`${threshold} of ${shares} is ${fault ? "refused" : "right"}`, () => {
      const found = faultOfShares(shares, threshold);
      if (fault) expect(found).toMatch(fault);
      else expect(found).toBeUndefined();
    });
  }

  test("a key is read as hex and as base64", () => {
    const key = systemChance.bytes(33);
    expect(parseUnsealKey(Buffer.from(key).toString("hex"))).toEqual(Buffer.from(key));
    expect(parseUnsealKey(Buffer.from(key).toString("base64"))).toEqual(Buffer.from(key));
    for (const text of ["", "zz", "not a key!", "ab="]) expect(parseUnsealKey(text)).toBeUndefined();
  });
});

describe("progress", () => {
  const options = { shares: 5, nonce: () => "n-1" };
  const hex = (point: number) => Buffer.concat([Buffer.alloc(32, 7), Buffer.of(point)]).toString("hex");

  test("a key given twice counts once", () => {
    const first = withKey(noProgress, hex(1), options);
    expect(withKey(first, hex(1), options)).toBe(first);
    expect(withKey(first, hex(2), options)).toMatchObject({ nonce: "n-1", keys: { length: 2 } });
  });

  test("what cannot be a key is refused, and the progress is as it was", () => {
    for (const text of ["", "zz", "abcd"]) expect(() => withKey(noProgress, text, options)).toThrow(/key/);
  });
});

describe("the seal", () => {
  test("opens with enough keys, and says that one is wrong otherwise", async () => {
    const rootKey = systemChance.bytes(32);
    const { record, keys } = await sealed(rootKey, 5, 3);
    expect(Buffer.from(await openSeal(record, keys.slice(1, 4))).equals(Buffer.from(rootKey))).toBe(true);
    const wrong = Buffer.from(keys[0]!);
    wrong[3]! ^= 1;
    const error = await openSeal(record, [wrong, ...keys.slice(1, 3)]).catch((thrown: unknown) => thrown);
    expect(isKind(error, secretsErrors.badRequest)).toBe(true);
    expect(String(error)).toMatch(/at least one of the keys given is wrong.*start over with 3/);
    expect(unwrapKey(wrong, "x", record.rootKey)).toBeUndefined();
  });
});

async function sealed(rootKey: Uint8Array, shares: number, threshold: number) {
  const secret = systemChance.bytes(32);
  const keys = await splitSecret(secret, shares, threshold);
  const record: SealRecord = {
    shares,
    threshold,
    clusterName: "c",
    clusterId: "i",
    generation: "1",
    rootKey: sealRootKey(secret, systemChance, rootKey),
  };
  return { record: decodeSealRecord(encodeSealRecord(record)), keys };
}
