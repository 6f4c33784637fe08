import { createRequire } from "node:module";
import type * as Bcrypt from "bcryptjs";
import type * as Yaml from "yaml";

/*
 * Libraries that few configurations need, loaded when they are first asked for: each takes as long as a tenth of a small plan. By
 * `require`, since a function answers at once and cannot wait for an `import()`.
 */

const require = createRequire(import.meta.url);

export function bcryptLibrary(): typeof Bcrypt {
  return require("bcryptjs") as typeof Bcrypt;
}

export function yamlLibrary(): typeof Yaml {
  return require("yaml") as typeof Yaml;
}
