import { clientErrors } from "@millwright/clients/errors";
import { isKind } from "@millwright/core/errors";
import { styleOf } from "../../views/style.ts";
import { nomadCommand } from "../command.ts";
import { jobFileFlags, readJobFile } from "../job-file.ts";

/** `job validate`. */
export const validateJob = nomadCommand({
  usage: "[flags] FILE",
  about: "Checks a job file, here and, where a server can be reached, by the server.",
  examples: ["job validate web.nomad"],
  flags: jobFileFlags,
  args: { least: 1, most: 1 },
  failure: "Error validating job",
  run: async ({ values, args, io, client, occurrences }) => {
    const file = await readJobFile({ path: args[0]!, gates: values.gates, occurrences, io });
    if (!file) return 1;
    const style = styleOf(io.view);
    const checked = await client.jobs
      .validate(file.json, { ...file.place, signal: io.signal })
      .catch((error: unknown) => {
        if (!isKind(error, clientErrors.unreachable)) throw error;
        return undefined;
      });
    if (checked && (checked.Error !== "" || checked.ValidationErrors.length > 0)) {
      await io.stdout(`${style.red(style.bold("Job validation errors:"))}\n`);
      const errors = checked.ValidationErrors.length > 0 ? checked.ValidationErrors : [checked.Error];
      await io.stdout(errors.map((one) => `  * ${one}\n`).join(""));
      return 1;
    }
    if (checked && checked.Warnings.trim() !== "")
      await io.stdout(`${style.yellow(`Job Warnings:\n${checked.Warnings.trim()}`)}\n\n`);
    await io.stdout(`${style.green("Job validation successful")}\n`);
    if (!checked) await io.stderr(`Checked by this program alone: no server can be reached at ${client.address}.\n`);
    return 0;
  },
});
