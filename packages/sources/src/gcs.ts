import { OperationalError } from "@millwright/core/errors";
import { allKeys, type Bucket, bucketRefusal } from "./bucket.ts";
import { sourceErrors } from "./errors.ts";
import { type HttpAnswer, jsonIn, type SourceHttp } from "./http.ts";
import { objectIn, objectsIn, textIn } from "./json-fields.ts";

/**
 * A place in Google Cloud Storage, by an address of go-getter's: `https://www.googleapis.com/storage/v1/BUCKET/KEY`, with an
 * object's generation as its fragment. Asked with the token in GOOGLE_OAUTH_ACCESS_TOKEN, which alone is looked at; at
 * STORAGE_EMULATOR_HOST, where that is set, without one. Throws `refused` where it is no such address.
 */
export function gcsBucket(address: URL, http: SourceHttp): Bucket {
  const [, service, version, name, ...rest] = address.pathname.split("/").map(decodeURIComponent);
  const key = rest.join("/");
  if (!address.hostname.endsWith(".googleapis.com") || service !== "storage" || !version || !name || key === "")
    throw new OperationalError(
      sourceErrors.refused,
      "its address names no object of a bucket. Write gcs::https://www.googleapis.com/storage/v1/BUCKET/KEY",
    );
  return new GcsBucket({ name, key, generation: address.hash.slice(1) || undefined, ...accessIn(http.env) }, http);
}

interface GcsPlace {
  readonly origin: string;
  readonly name: string;
  readonly key: string;
  readonly generation: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

class GcsBucket implements Bucket {
  readonly #place: GcsPlace;
  readonly #http: SourceHttp;

  constructor(place: GcsPlace, http: SourceHttp) {
    this.#place = place;
    this.#http = http;
  }

  get key(): string {
    return this.#place.key;
  }

  get shown(): string {
    return `gs://${this.#place.name}/${this.#place.key}`;
  }

  open(key: string): Promise<HttpAnswer> {
    const { generation } = this.#place;
    const isVersion = generation !== undefined && key === this.key;
    return this.#get(`/${encodeURIComponent(key)}`, { alt: "media", ...(isVersion ? { generation } : {}) });
  }

  keys(prefix: string): Promise<readonly string[]> {
    return allKeys(async (token) => {
      const answer = await this.#get("", { prefix, ...(token === undefined ? {} : { pageToken: token }) });
      const page = objectIn(await jsonIn(answer, "list of objects")) ?? {};
      const keys = objectsIn(page["items"]).flatMap((item) => textIn(item["name"]) ?? []);
      return { keys, next: textIn(page["nextPageToken"]) };
    });
  }

  async #get(path: string, query: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const { origin, name, headers } = this.#place;
    const url = new URL(`/storage/v1/b/${encodeURIComponent(name)}/o${path}`, origin);
    for (const [option, value] of Object.entries(query)) url.searchParams.set(option, value);
    const answer = await this.#http.get(url, { headers });
    if (answer.status === 200) return answer;
    answer.body.destroy();
    const advice =
      "Look at the token in GOOGLE_OAUTH_ACCESS_TOKEN: it holds for an hour, and needs to read the bucket.";
    throw bucketRefusal(answer, { shown: this.shown, said: "", advice });
  }
}

function accessIn(env: SourceHttp["env"]): Pick<GcsPlace, "origin" | "headers"> {
  const emulator = env["STORAGE_EMULATOR_HOST"];
  if (emulator) return { origin: emulator.includes("://") ? emulator : `http://${emulator}`, headers: {} };
  const token = env["GOOGLE_OAUTH_ACCESS_TOKEN"];
  if (token) return { origin: "https://storage.googleapis.com", headers: { authorization: `Bearer ${token}` } };
  throw new OperationalError(
    sourceErrors.unauthorized,
    "No token for Google Cloud Storage was found. Set GOOGLE_OAUTH_ACCESS_TOKEN (gcloud auth print-access-token writes one); other credentials of Google Cloud are not looked at",
  );
}
