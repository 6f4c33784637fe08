import {
  type AwsCredentials,
  awsCredentialsOf,
  findAwsCredentials,
  noAwsCredentials,
} from "@millwright/clients/aws-credentials";
import { readS3Page, readS3Refusal } from "@millwright/clients/s3-answers";
import { OperationalError } from "@millwright/core/errors";
import { AwsV4Signer } from "aws4fetch";
import { createHash } from "node:crypto";
import { allKeys, type Bucket, bucketRefusal } from "./bucket.ts";
import { sourceErrors } from "./errors.ts";
import { type HttpAnswer, type SourceHttp, wholeOf } from "./http.ts";

/**
 * A place in S3, or in a store that speaks as it does, by an address of go-getter's: the bucket in front of the host or in
 * front of the path, `region`, `version`, `aws_profile`, `aws_access_key_id`, `aws_access_key_secret` and `aws_access_token` as
 * options. Throws `refused` where it is no such address.
 */
export function s3Bucket(address: URL, http: SourceHttp): Bucket {
  return new S3Bucket(readPlace(address, http.env), http);
}

interface S3Place {
  /** Of the bucket; ends with a slash. */
  readonly base: URL;
  readonly name: string;
  readonly key: string;
  readonly region: string;
  readonly version: string | undefined;
  readonly credentials: AwsCredentials;
}

class S3Bucket implements Bucket {
  readonly #place: S3Place;
  readonly #http: SourceHttp;

  constructor(place: S3Place, http: SourceHttp) {
    this.#place = place;
    this.#http = http;
  }

  get key(): string {
    return this.#place.key;
  }

  get shown(): string {
    return `s3://${this.#place.name}/${this.#place.key}`;
  }

  open(key: string): Promise<HttpAnswer> {
    const { base, version } = this.#place;
    const url = new URL(key.split("/").map(encodeURIComponent).join("/"), base);
    if (version !== undefined && key === this.key) url.searchParams.set("versionId", version);
    return this.#get(url);
  }

  keys(prefix: string): Promise<readonly string[]> {
    return allKeys(async (token) => {
      const url = new URL(this.#place.base);
      const query = { "list-type": "2", prefix, ...(token === undefined ? {} : { "continuation-token": token }) };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const answer = await this.#get(url);
      return readS3Page(await wholeOf(this.#http.pieces(answer), answer.url, "list of objects"));
    });
  }

  async #get(url: URL): Promise<HttpAnswer> {
    const { credentials, region } = this.#place;
    const nothing = createHash("sha256").digest("hex");
    const signer = new AwsV4Signer({
      method: "GET",
      url: url.href,
      service: "s3",
      region,
      headers: { "x-amz-content-sha256": nothing },
      ...credentials,
    });
    const signed = await signer.sign();
    const { host: _, ...headers } = Object.fromEntries(signed.headers);
    const answer = await this.#http.get(signed.url, { headers });
    if (answer.status === 200) return answer;
    const { code = "", message } = readS3Refusal(await wholeOf(this.#http.pieces(answer), answer.url, "refusal"));
    const said = [code, message].filter((text) => text !== undefined && text !== "").join(": ");
    const advice = "Look at the credentials, and what they may read in the bucket.";
    throw bucketRefusal(answer, { shown: this.shown, said, advice });
  }
}

function readPlace(address: URL, env: SourceHttp["env"]): S3Place {
  const options = address.searchParams;
  const option = (name: string) => options.get(name) || undefined;
  const aws =
    /^(?:(?<bucket>.+)\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-](?<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/.exec(
      address.hostname,
    )?.groups;
  const segments = address.pathname.replace(/^\//, "").split("/").map(decodeURIComponent);
  const name = aws?.["bucket"] ?? segments.shift() ?? "";
  const key = segments.join("/");
  if (name === "" || key === "" || /(^|\.)amazonaws\.com(\.cn)?$/.test(address.hostname) !== (aws !== undefined))
    throw new OperationalError(
      sourceErrors.refused,
      "its address names no object of a bucket. Write s3::https://s3.REGION.amazonaws.com/BUCKET/KEY, or the host of another store in place of that one",
    );
  const elsewhere = aws ? env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"] || undefined : undefined;
  const base = new URL(elsewhere ?? address.origin);
  if (elsewhere !== undefined || aws?.["bucket"] === undefined)
    base.pathname += `${base.pathname.endsWith("/") ? "" : "/"}${name}`;
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const own = awsCredentialsOf(
    option("aws_access_key_id"),
    option("aws_access_key_secret"),
    option("aws_access_token"),
  );
  const credentials = own ?? findAwsCredentials({ env, profile: option("aws_profile") });
  if (!credentials) throw new OperationalError(sourceErrors.unauthorized, noAwsCredentials);
  const region = aws?.["region"] ?? option("region") ?? "us-east-1";
  return { base, name, key, region, version: option("version"), credentials };
}
