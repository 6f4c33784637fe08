import { testDriver } from "../../test/driver-suite.ts";
import { rawExecDriver } from "./raw-exec.ts";

testDriver("raw_exec", async () => ({
  driver: rawExecDriver({ node: "here" }),
  shell: (line) => ({ command: "/bin/sh", args: ["-c", line] }),
}));
