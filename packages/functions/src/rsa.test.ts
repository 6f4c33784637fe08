import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decryptPkcs1 } from "./rsa.ts";

describe("an RSA ciphertext", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const encrypted = (block: Uint8Array) => publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block);
  const block = (type: number, padding: number, rest: readonly number[]) => {
    const head = [0, type, ...new Array<number>(padding).fill(7)];
    return Uint8Array.from([...head, ...rest]);
  };

  test("gives the message that was encrypted", () => {
    const ciphertext = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from("message"));
    expect(decryptPkcs1(ciphertext, privateKey)).toEqual(new TextEncoder().encode("message"));
  });

  const cases = [
    { name: "of the wrong type of block", input: block(1, 100, [0, ...new Array<number>(25).fill(1)]) },
    { name: "with too little padding", input: block(2, 7, [0, ...new Array<number>(118).fill(1)]) },
    { name: "without an end of the padding", input: block(2, 126, []) },
  ];
  test.each(cases)("$name is refused", ({ input }) => {
    expect(decryptPkcs1(encrypted(input), privateKey)).toBeUndefined();
  });

  test("that is not below the modulus, or too long, is refused", () => {
    expect(decryptPkcs1(new Uint8Array(128).fill(0xff), privateKey)).toBeUndefined();
    expect(decryptPkcs1(new Uint8Array(129), privateKey)).toBeUndefined();
  });
});
