import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Which release this is: the file `release.json` that lies beside the program in its archive. */
export interface Release {
  readonly release: string;
  /** A release that does not work, made on purpose: what a rollout has to notice. */
  readonly broken?: boolean;
}

/** Throws where the archive has no such file. */
export function readRelease(): Release {
  return JSON.parse(readFileSync(join(dirname(process.argv[1] ?? "."), "release.json"), "utf8")) as Release;
}
