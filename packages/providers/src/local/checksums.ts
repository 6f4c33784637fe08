import { createHash } from "node:crypto";

/** What `hashicorp/local` says of a file's content; `id` is its SHA-1. */
export function checksumsOf(content: Uint8Array) {
  const hash = (name: string) => createHash(name).update(content).digest();
  const [md5, sha1, sha256, sha512] = [hash("md5"), hash("sha1"), hash("sha256"), hash("sha512")];
  return {
    id: sha1.toString("hex"),
    content_md5: md5.toString("hex"),
    content_sha1: sha1.toString("hex"),
    content_sha256: sha256.toString("hex"),
    content_base64sha256: sha256.toString("base64"),
    content_sha512: sha512.toString("hex"),
    content_base64sha512: sha512.toString("base64"),
  };
}
