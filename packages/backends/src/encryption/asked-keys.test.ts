import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@millwright/core/ports";
import { evaluate } from "@millwright/hcl/evaluate";
import { parseFile } from "@millwright/hcl/parse";
import { emptyScope } from "@millwright/hcl/scope";
import { sourceFile } from "@millwright/hcl/source-file";
import { afterEach, describe, expect, test } from "vitest";
import { makeSealing } from "./sealing.ts";

/* Key providers that ask a server: what they send, and that a key which was made is got again. */

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server whose sealed keys are the keys in base64 behind a word. */
async function serve(
  answer: (asked: Asked) => { readonly status?: number; readonly body: unknown },
): Promise<{ readonly address: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = JSON.parse(Buffer.concat(pieces).toString() || "{}") as Asked["body"];
    const one = { path: request.url ?? "", headers: request.headers, body };
    asked.push(one);
    const { status = 200, body: text } = answer(one);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(text));
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function sealing(provider: string, env: Readonly<Record<string, string>>) {
  const [, type = "", name = ""] = /key_provider "(\w+)" "(\w+)"/.exec(provider) ?? [];
  const text = `${provider}
method "aes_gcm" "m" {
  keys = key_provider.${type}.${name}
}
state {
  method = method.aes_gcm.m
}
`;
  const { value, diagnostics } = makeSealing({
    bodies: [parseFile(sourceFile("encryption.tf", text)).value],
    what: "state",
    evaluate: (expression) => evaluate(expression, emptyScope),
    ports: { folder: "/", env, clock: systemClock },
  });
  expect(diagnostics).toEqual([]);
  return value!;
}

const plain = Buffer.from('{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{}}');
const key = Buffer.alloc(32, 7).toString("base64");
const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

const kms = `key_provider "aws_kms" "k" {
  kms_key_id         = "alias/states"
  key_spec           = "AES_256"
  region             = "eu-west-1"
  encryption_context = { folder = "a" }
}`;
const answerOfKms = ({ headers }: Asked) =>
  headers["x-amz-target"] === "TrentService.Decrypt"
    ? { body: { Plaintext: key } }
    : { body: { Plaintext: key, CiphertextBlob: "c2VhbGVk" } };

describe("a key of AWS KMS", () => {
  test("is made, and got again from what is kept beside the state", async () => {
    const { address, asked } = await serve(answerOfKms);
    const env = { ...keys, AWS_ENDPOINT_URL_KMS: address };
    const sealed = await sealing(kms, env).seal(plain);
    const { meta } = JSON.parse(Buffer.from(sealed).toString());
    expect(JSON.parse(Buffer.from(meta["key_provider.aws_kms.k"], "base64").toString())).toEqual({
      ciphertext_blob: "c2VhbGVk",
    });
    expect(Buffer.from(await sealing(kms, env).open(sealed))).toEqual(plain);
    const common = { KeyId: "alias/states", EncryptionContext: { folder: "a" } };
    expect(asked.map(({ headers, body }) => ({ target: headers["x-amz-target"], body }))).toContainEqual({
      target: "TrentService.GenerateDataKey",
      body: { ...common, KeySpec: "AES_256" },
    });
    expect(asked.at(-1)?.body).toEqual({ ...common, CiphertextBlob: "c2VhbGVk" });
    expect(asked[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-west-1\/kms\/aws4_request/,
    );
  });

  test.each([
    {
      name: "that may not be used",
      provider: kms,
      env: keys,
      want: /key_provider\.aws_kms\.k cannot be had: KMS answered 400: .*AccessDenied/,
    },
    {
      name: "without credentials",
      provider: kms,
      env: { HOME: "/nowhere" },
      want: /No credentials for AWS were found/,
    },
    {
      name: "of a length that there is not",
      provider: kms.replace("AES_256", "AES_512"),
      env: keys,
      want: /key_spec is AES_256 or AES_128/,
    },
    {
      name: "without a region",
      provider: kms.replace(/region +=.*/, ""),
      env: keys,
      want: /region is missing, and AWS_REGION is not set/,
    },
  ])("$name is refused", async ({ provider, env, want }) => {
    const { address } = await serve(() => ({ status: 400, body: { __type: "AccessDeniedException" } }));
    await expect(sealing(provider, { ...env, AWS_ENDPOINT_URL_KMS: address }).seal(plain)).rejects.toThrow(want);
  });
});

test("a key of a transit engine is made, and got again, with the data it is bound to", async () => {
  const { address, asked } = await serve(({ path }) =>
    path.includes("/decrypt/")
      ? { body: { data: { plaintext: key } } }
      : { body: { data: { plaintext: key, ciphertext: "vault:v1:sealed" } } },
  );
  const provider = `key_provider "openbao" "b" {
  key_name        = "states"
  associated_data = "Zm9sZGVyLWE="
}`;
  const env = { BAO_ADDR: address, BAO_TOKEN: "t" };
  const sealed = await sealing(provider, env).seal(plain);
  expect(Buffer.from(await sealing(provider, env).open(sealed))).toEqual(plain);
  expect(asked[0]).toMatchObject({
    path: "/v1/transit/datakey/plaintext/states",
    headers: { "x-vault-token": "t" },
    body: { bits: 256, associated_data: "Zm9sZGVyLWE=" },
  });
  expect(asked.at(-1)).toMatchObject({
    path: "/v1/transit/decrypt/states",
    body: { ciphertext: "vault:v1:sealed", associated_data: "Zm9sZGVyLWE=" },
  });
});
