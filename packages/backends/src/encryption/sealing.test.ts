import { readFileSync } from "node:fs";
import { systemClock } from "@millwright/core/ports";
import type { Sealing } from "@millwright/engine/backend/sealing";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseFile } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { sourceFile } from "@millwright/hcl/source-file";
import { describe, expect, test } from "vitest";
import { makeSealing, type Sealed } from "./sealing.ts";

const ports = { folder: "/", env: {}, clock: systemClock };

function made(texts: readonly string[], what: Sealed = "state") {
  return makeSealing({
    bodies: texts.map((text) => parseFile(sourceFile("encryption.tf", text)).value),
    what,
    evaluate: (expression) => evaluate(expression, emptyScope),
    ports,
  });
}

function sealing(...texts: readonly string[]): Sealing {
  const { value, diagnostics } = made(texts);
  expect(diagnostics).toEqual([]);
  return value!;
}

const pbkdf2 = (name: string, passphrase: string) => `key_provider "pbkdf2" "${name}" {
  passphrase = "${passphrase}"
  iterations = 200000
}
method "aes_gcm" "${name}" {
  keys = key_provider.pbkdf2.${name}
}
`;
const main = pbkdf2("main", "correct horse battery staple");
const target = (...methods: readonly string[]) =>
  methods.reduceRight(
    (inner, method) => `method = method.${method}\n${inner === "" ? "" : `fallback {\n${inner}}\n`}`,
    "",
  );
const state = (...methods: readonly string[]) => `state {\n${target(...methods)}}\n`;
const plain = Buffer.from('{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{}}');

describe("what is sealed", () => {
  test("is OpenTofu's JSON, with serial and lineage in clear and nothing else", async () => {
    const sealed = JSON.parse(Buffer.from(await sealing(main + state("aes_gcm.main")).seal(plain)).toString());
    expect(sealed).toMatchObject({ serial: 3, lineage: "l", encryption_version: "v0" });
    expect(Object.keys(sealed.meta)).toEqual(["key_provider.pbkdf2.main"]);
    expect(JSON.stringify(sealed)).not.toContain("outputs");
  });

  test("is opened by who has the passphrase, in another process too", async () => {
    const bytes = await sealing(main + state("aes_gcm.main")).seal(plain);
    const other = sealing(main + state("aes_gcm.main"));
    expect(Buffer.from(await other.open(bytes))).toEqual(plain);
    expect(other.isCurrent(bytes)).toBe(true);
  });

  test("is never the same twice", async () => {
    const one = sealing(main + state("aes_gcm.main"));
    expect(Buffer.from(await one.seal(plain)).equals(await one.seal(plain))).toBe(false);
  });

  test("by OpenTofu is opened here", async () => {
    const theirs = readFileSync(new URL("../../testdata/opentofu-encrypted.tfstate", import.meta.url));
    const opened = await sealing(main + state("aes_gcm.main")).open(theirs);
    expect(Buffer.from(opened).toString()).toContain("made by OpenTofu");
  });

  test("is refused with another passphrase, or when it was changed", async () => {
    const bytes = await sealing(main + state("aes_gcm.main")).seal(plain);
    const wrong = sealing(pbkdf2("main", "another long passphrase") + state("aes_gcm.main"));
    await expect(wrong.open(bytes)).rejects.toThrow("the key does not fit, or the file was changed");
    const payload = JSON.parse(Buffer.from(bytes).toString());
    const data = Buffer.from(payload.encrypted_data, "base64");
    data[20]! ^= 1;
    const changed = Buffer.from(JSON.stringify({ ...payload, encrypted_data: data.toString("base64") }));
    await expect(sealing(main + state("aes_gcm.main")).open(changed)).rejects.toThrow("the file was changed");
  });

  test("in clear is refused, unless the fallback allows it; then it is to be written again", async () => {
    await expect(sealing(main + state("aes_gcm.main")).open(plain)).rejects.toThrow(
      "not encrypted, and that is not allowed",
    );
    const both = sealing(`${main}method "unencrypted" "u" {}\n${state("aes_gcm.main", "unencrypted.u")}`);
    expect(Buffer.from(await both.open(plain))).toEqual(plain);
    expect(both.isCurrent(plain)).toBe(false);
  });

  test("with an older key is opened by the fallback, and is to be written again", async () => {
    const bytes = await sealing(main + state("aes_gcm.main")).seal(plain);
    const next = sealing(main + pbkdf2("next", "the next long passphrase") + state("aes_gcm.next", "aes_gcm.main"));
    expect(Buffer.from(await next.open(bytes))).toEqual(plain);
    expect(next.isCurrent(bytes)).toBe(false);
    expect(next.isCurrent(await next.seal(plain))).toBe(false);
  });

  test("takes what TF_ENCRYPTION says over what the configuration says", async () => {
    const bytes = await sealing(main + state("aes_gcm.main"), pbkdf2("main", "from the environment!")).seal(plain);
    const opened = await sealing(pbkdf2("main", "from the environment!") + state("aes_gcm.main")).open(bytes);
    expect(Buffer.from(opened)).toEqual(plain);
  });
});

describe("a configuration that cannot be worked with says why", () => {
  const cases = [
    { name: "no such method", text: state("aes_gcm.main"), want: "Undefined part of the encryption" },
    {
      name: "a method of a type that is not there",
      text: `method "rot13" "m" {}\n${state("rot13.m")}`,
      want: "Unknown encryption method type",
    },
    {
      name: "a misspelt argument",
      text: `${main.replace("passphrase", "passphrse")}${state("aes_gcm.main")}`,
      want: "Unsupported argument",
    },
    {
      name: "a key that needs itself",
      text: `key_provider "pbkdf2" "a" {\n chain = key_provider.pbkdf2.a\n}\nmethod "aes_gcm" "m" {\n keys = key_provider.pbkdf2.a\n}\n${state("aes_gcm.m")}`,
      want: "Circular reference",
    },
    {
      name: "enforced, and in clear",
      text: `method "unencrypted" "u" {}\nstate {\n enforced = true\n method = method.unencrypted.u\n}`,
      want: "Unencrypted method is forbidden",
    },
    { name: "enforced, and no method", text: "state {\n enforced = true\n}", want: "No encryption method" },
    {
      name: "enforced by the configuration, and in clear by TF_ENCRYPTION",
      text: `${main}state {\n enforced = true\n ${target("aes_gcm.main")}}`,
      over: `method "unencrypted" "u" {}\n${state("unencrypted.u")}`,
      want: "Unencrypted method is forbidden",
    },
    { name: "a method that is no address", text: `state {\n method = "aes"\n}`, want: "Invalid encryption method" },
  ];
  test.each(cases)("$name", ({ text, over = "", want }) => {
    const { value, diagnostics } = made([text, over]);
    expect([value, diagnostics[0]?.summary]).toEqual([undefined, want]);
  });

  test("a command that gives nothing back has not encrypted: what it was given is not lost", async () => {
    const silent = `["sh", "-c", "echo '{\\"magic\\":\\"OpenTofu-External-Encryption-Method\\",\\"version\\":1}'; cat >/dev/null; echo '{}'"]`;
    const commands = `encrypt_command = ${silent}\n decrypt_command = ${silent}`;
    const by = sealing(`method "external" "m" {\n ${commands}\n}\n${state("external.m")}`);
    await expect(by.seal(plain)).rejects.toThrow("it gave no payload");
  });

  test("what no target is said of is in clear", () => {
    expect(made([main + state("aes_gcm.main")], "plan").value?.sealed).toBe(false);
  });
});
