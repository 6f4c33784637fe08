import { expect, test } from "vitest";
import { checkSteering } from "./raw-exec-user.ts";

const own = { PATH: "/bin", LD_LIBRARY_PATH: "/opt/lib" };

test.each([
  { name: "a library that is loaded first", env: { LD_PRELOAD: "/tmp/x.so" } },
  { name: "other folders of libraries than the agent's", env: { LD_LIBRARY_PATH: "/tmp" } },
  { name: "a script that a shell begins with", env: { BASH_ENV: "/tmp/x" } },
  { name: "a function in place of a shell's own", env: { "BASH_FUNC_printf%%": "() { :; }" } },
])("a task of another user may not have $name, as its shim would", ({ env }) => {
  expect(() => checkSteering(env, own, "nobody")).toThrow(`its environment has ${Object.keys(env)[0]}`);
});

test("it may have what is its own alone, and what the agent has", () => {
  expect(() => checkSteering({ ...own, PATH: "/x", HOME: "/", LDAP_URL: "x" }, own, "nobody")).not.toThrow();
});
