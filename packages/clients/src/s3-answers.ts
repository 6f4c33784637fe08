/** One page of a bucket's list of objects. */
export interface S3Page {
  readonly keys: readonly string[];
  /** What the next page is asked for with; undefined after the last one. */
  readonly next: string | undefined;
}

/** Reads the answer to ListObjectsV2, in time that is linear in it whatever it holds. */
export function readS3Page(body: Uint8Array): S3Page {
  const text = Buffer.from(body).toString("utf8");
  const keys = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => unescapeXml(key));
  const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1];
  return { keys, next: next === undefined ? undefined : unescapeXml(next) };
}

/** What S3 says of a call that it refuses; undefined where the answer says nothing. */
export interface S3Refusal {
  /** `NoSuchBucket`, `AccessDenied`, … */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export function readS3Refusal(body: Uint8Array): S3Refusal {
  const text = Buffer.from(body.subarray(0, 4096)).toString("utf8");
  const message = /<Message>([\s\S]*?)<\/Message>/.exec(text)?.[1];
  return {
    code: /<Code>(.*?)<\/Code>/.exec(text)?.[1],
    message: message === undefined ? undefined : unescapeXml(message),
  };
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => entities[name] ?? "");
}
