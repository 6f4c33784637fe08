import { createHash } from "node:crypto";
import { isKind } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { AwsCredentials } from "@millwright/clients/aws-credentials";
import { clientErrors } from "@millwright/clients/errors";
import { HttpConnections } from "@millwright/clients/http";
import { readS3Page, readS3Refusal } from "@millwright/clients/s3-answers";
import { targetOf } from "@millwright/clients/target";
import { AwsV4Signer } from "aws4fetch";
import { assumedRole } from "./assumed-role.ts";
import type { BackendPorts } from "./backend-type.ts";
import { findCredentials } from "./s3-credentials.ts";
import type { Settings } from "./settings.ts";
import { StorageFailure } from "./storage-failure.ts";

export interface S3Answer {
  readonly body: Uint8Array;
}

interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are answers as well. */
  readonly accept?: readonly number[];
}

/** The five calls of S3's REST API that a state needs, signed with Signature Version 4. */
export class S3Client {
  readonly bucket: string;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #credentials: () => Promise<AwsCredentials>;
  readonly #connections: HttpConnections;
  readonly #base: URL;

  private constructor(settings: Settings, clock: Clock, credentials: () => Promise<AwsCredentials>) {
    this.bucket = settings.text("bucket") ?? "";
    this.#settings = settings;
    this.#clock = clock;
    this.#credentials = credentials;
    this.#base = baseAddress(settings);
    const caFile = settings.text("custom_ca_bundle");
    const target = targetOf(
      {
        address: this.#base.origin,
        tlsVerify: settings.flag("insecure") !== true,
        ...(caFile === undefined ? {} : { caFile }),
      },
      'endpoints of backend "s3"',
    );
    this.#connections = new HttpConnections(target);
  }

  static async open(settings: Settings, ports: BackendPorts): Promise<S3Client> {
    return new S3Client(settings, ports.clock, assumedRole(settings, ports.clock, findCredentials(settings, ports)));
  }

  place(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }

  /** Undefined where there is no such object. */
  async get(key: string, signal?: AbortSignal): Promise<S3Answer | undefined> {
    const { status, body, code } = await this.#ask({
      method: "GET",
      key,
      headers: this.#customerKey(),
      signal,
      accept: [404],
    });
    if (status === 404 && code !== "NoSuchBucket") return undefined;
    if (status === 404) throw noBucket(this.bucket);
    return { body };
  }

  /** Whether it was written: not where it is to be made and is there already. */
  async put(key: string, body: Uint8Array, when: "always" | "if absent", signal?: AbortSignal): Promise<boolean> {
    const md5 = createHash("sha256").update(body).digest("base64");
    const headers = {
      "content-type": "application/json",
      ...(this.#settings.flag("skip_s3_checksum") === true ? {} : { "x-amz-checksum-sha256": md5 }),
      ...(when === "if absent" ? { "if-none-match": "*" } : {}),
      ...this.#encryption(),
    };
    const { status } = await this.#ask({ method: "PUT", key, headers, body, signal, accept: [412, 409] });
    if (status === 412 || status === 409) return false;
    return true;
  }

  async delete(key: string): Promise<void> {
    await this.#ask({ method: "DELETE", key, accept: [404] });
  }

  /** All keys that begin with a prefix. */
  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    const keys: string[] = [];
    for (let token: string | undefined; ; ) {
      const query = { "list-type": "2", prefix, ...(token === undefined ? {} : { "continuation-token": token }) };
      const { body } = await this.#ask({ method: "GET", key: "", query, signal });
      const page = readS3Page(body);
      keys.push(...page.keys);
      if (page.next === undefined) return keys;
      token = page.next;
    }
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async #ask(
    request: S3Request,
  ): Promise<{ readonly status: number; readonly body: Uint8Array; readonly code: string }> {
    const most = this.#settings.number("max_retries") ?? 5;
    for (let attempt = 0; ; attempt++) {
      try {
        const { status, body } = await this.#send(request);
        const mayPass = status === 429 || status >= 500;
        if (status < 300 || request.accept?.includes(status) || !mayPass || attempt >= most)
          return checked(request, status, body, this.bucket);
      } catch (error) {
        const mayPass = isKind(error, clientErrors.unreachable) || isKind(error, clientErrors.broken);
        // A conditional write that was carried out fails when it is sent again.
        if (!mayPass || attempt >= most || request.headers?.["if-none-match"] !== undefined) throw error;
      }
      await this.#clock.sleep(Math.min(20_000, 200 * 2 ** attempt), request.signal);
    }
  }

  async #send(request: S3Request): Promise<{ readonly status: number; readonly body: Uint8Array }> {
    const { method, key, query = {}, body = new Uint8Array(), signal } = request;
    const url = new URL(this.#base);
    const path = key.split("/").map(encodeURIComponent).join("/");
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#credentials();
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      service: "s3",
      region: this.#settings.text("region") ?? "us-east-1",
      headers: {
        ...request.headers,
        "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    }).sign();
    const answer = await this.#connections.send({
      method,
      path: `${signed.url.pathname}${signed.url.search}`,
      headers: Object.fromEntries(signed.headers),
      timeoutMilliseconds: 60_000,
      ...(method === "PUT" ? { body } : {}),
      ...(signal ? { signal } : {}),
    });
    return { status: answer.status, body: await answer.bytes() };
  }

  #encryption(): Readonly<Record<string, string>> {
    const acl = this.#settings.text("acl");
    const kms = this.#settings.text("kms_key_id");
    const atRest =
      kms !== undefined
        ? { "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": kms }
        : this.#settings.flag("encrypt") === true && this.#settings.text("sse_customer_key") === undefined
          ? { "x-amz-server-side-encryption": "AES256" }
          : this.#customerKey();
    return { ...atRest, ...(acl === undefined ? {} : { "x-amz-acl": acl }) };
  }

  #customerKey(): Readonly<Record<string, string>> {
    const key = this.#settings.text("sse_customer_key");
    if (key === undefined) return {};
    return {
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
      "x-amz-server-side-encryption-customer-key": key,
      "x-amz-server-side-encryption-customer-key-md5": createHash("md5")
        .update(Buffer.from(key, "base64"))
        .digest("base64"),
    };
  }
}

/** Where the bucket is: under the endpoint's path, or as a name in front of its host. */
function baseAddress(settings: Settings): URL {
  const bucket = settings.text("bucket") ?? "";
  const region = settings.text("region") ?? "us-east-1";
  const given = settings.nested("endpoints")?.text("s3") ?? settings.text("endpoint");
  const fips = settings.flag("use_fips_endpoint") === true ? "-fips" : "";
  const dual = settings.flag("use_dualstack_endpoint") === true ? ".dualstack" : "";
  const ending = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const text = given ?? `https://s3${fips}${dual}.${region}.${ending}`;
  const base = new URL(text.includes("://") ? text : `https://${text}`);
  const isPath = settings.flag("use_path_style") ?? settings.flag("force_path_style") ?? bucket.includes(".");
  if (isPath) base.pathname = `${base.pathname.replace(/\/$/, "")}/${bucket}`;
  else base.hostname = `${bucket}.${base.hostname}`;
  return base;
}

function checked(request: S3Request, status: number, body: Uint8Array, bucket: string) {
  const { code = "", message } = status < 300 ? { message: undefined } : readS3Refusal(body);
  if (status < 300 || request.accept?.includes(status)) return { status, body, code };
  if (code === "NoSuchBucket") throw noBucket(bucket);
  const advice = status === 403 ? " Check the credentials, their region, and what they may do in the bucket." : "";
  throw new StorageFailure(
    status,
    `S3 answered ${status}${code === "" ? "" : ` ${code}`}${message === undefined ? "" : `: ${message}`}.${advice}`,
  );
}

function noBucket(bucket: string): StorageFailure {
  return new StorageFailure(404, `there is no bucket ${bucket}. Make it first, or check bucket, region and endpoints.`);
}
