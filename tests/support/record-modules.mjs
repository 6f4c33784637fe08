// Writes the address of every module that is loaded, a line each, to the file that RECORD_MODULES names.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.RECORD_MODULES, `${url}\n`);
    return next(url, context);
  },
});
