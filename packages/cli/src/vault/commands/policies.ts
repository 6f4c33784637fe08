import { vaultCommand } from "../command.ts";
import { textOf } from "../data.ts";
import { nothingAt, writeAndSay } from "./logical.ts";

/** `policy list`. */
export const listPolicies = vaultCommand({
  usage: "[flags]",
  about: "Lists the names of the policies.",
  examples: ["policy list"],
  flags: {},
  args: { least: 0, most: 0 },
  run: async ({ io, client, output }) => {
    const names = (await client.list("sys/policies/acl", { signal: io.signal })) ?? [];
    if (output.format !== "table") return output.table([], [], names);
    await io.stdout(names.map((name) => `${name}\n`).join(""));
    return 0;
  },
});

/** `policy read`. */
export const readPolicy = vaultCommand({
  usage: "[flags] NAME",
  about: "Prints a policy.",
  examples: ["policy read readonly"],
  flags: {},
  args: { least: 1, most: 1 },
  run: async ({ args: [name = ""], io, client, output }) => {
    const secret = await client.read(`sys/policies/acl/${name}`, { signal: io.signal });
    if (!secret) return nothingAt(io, `policy ${name}`);
    if (output.format !== "table") return output.rows([], { policy: secret.data?.policy });
    await io.stdout(`${String(secret.data?.policy ?? "").trimEnd()}\n`);
    return 0;
  },
});

/** `policy write`. */
export const writePolicy = vaultCommand({
  usage: "[flags] NAME FILE",
  about: "Writes a policy from a file, or from standard input (-).",
  examples: ["policy write readonly readonly.hcl", "policy write readonly - < readonly.hcl"],
  flags: {},
  args: { least: 2, most: 2 },
  run: async ({ args: [name = "", file = ""], io, client, output }) => {
    const policy = await textOf(file === "-" ? "-" : `@${file}`, io);
    return writeAndSay(
      { client, io, output },
      `sys/policies/acl/${name}`,
      { policy },
      `Success! Uploaded policy: ${name}`,
    );
  },
});

/** `policy delete`. */
export const deletePolicy = vaultCommand({
  usage: "[flags] NAME",
  about: "Deletes a policy: tokens that name it lose what it allowed at once.",
  examples: ["policy delete readonly"],
  flags: {},
  args: { least: 1, most: 1 },
  run: async ({ args: [name = ""], io, client, output }) => {
    await client.delete(`sys/policies/acl/${name}`, { signal: io.signal });
    return output.say(`Success! Deleted policy: ${name}`);
  },
});
