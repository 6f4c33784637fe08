/**
 * Where the secrets server keeps what, in its store. A copy of the store shows these keys, and of what is under them only
 * random bytes:
 *
 *     secrets/seal                 how the root key is sealed: how many unseal keys, the root key under theirs
 *     secrets/keyring              the encryption keys, under the root key
 *     secrets/leader               which server watches the ends of leases, in clear, while it does
 *     secrets/g/GENERATION/b/HASH  a bucket: many paths with their values, padded
 *     secrets/g/GENERATION/v/HASH  the value of one path, where it is large, padded
 *
 * All data of one initialization live under a generation of their own: one that was begun and not finished is never seen.
 */
export const layout = {
  root: "secrets/",
  seal: "secrets/seal",
  keyring: "secrets/keyring",
  leader: "secrets/leader",
  generations: "secrets/g/",
  generation: (generation: string) => `secrets/g/${generation}/`,
  buckets: (generation: string) => `secrets/g/${generation}/b/`,
  bucket: (generation: string, hash: string) => `secrets/g/${generation}/b/${hash}`,
  value: (generation: string, hash: string) => `secrets/g/${generation}/v/${hash}`,
} as const;
