/** An image's name in its parts: `registry.example:5000/team/app:1.2`, `redis`, `app@sha256:…`. */
export interface ImageName {
  /** All in front of the tag: `registry.example:5000/team/app`. */
  readonly repository: string;
  /** `latest` where none is said; empty for a name with a digest. */
  readonly tag: string;
  /** `sha256:…`, or empty. */
  readonly digest: string;
}

/** Source: the reference grammar of the Docker distribution. */
export function parseImageName(text: string): ImageName {
  const bare = text.replace(/^https?:\/\//, "");
  const at = bare.indexOf("@");
  const named = at < 0 ? bare : bare.slice(0, at);
  const digest = at < 0 ? "" : bare.slice(at + 1);
  // A colon before the last slash is that of the registry's port.
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? "latest" : named.slice(colon + 1);
  return { repository, tag: digest === "" ? tag : "", digest };
}

/** As the engine finds it: `redis:latest`. */
export function formatImageName({ repository, tag, digest }: ImageName): string {
  return digest === "" ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** Its registry's host: `docker.io` where none is said. */
export function registryOf({ repository }: ImageName): string {
  const [first = "", ...rest] = repository.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}
