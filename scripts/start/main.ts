import { parseArgs } from "node:util";
import { Stage, StepFailed } from "./stage.ts";
import { runSecretsSteps } from "./secrets-steps.ts";
import { runSteps } from "./steps.ts";

const help = `npm start runs the main job in a fresh folder: a server and an agent; five steps
of one small configuration planned and applied; then a database, logins to it
that are leased and taken back, services found by name, and files rendered.

  npm start               show it, and keep the server running to try things
  npm start -- --check    the same unattended, also by Terraform's command line;
                          exits non-zero when a step falls short
`;

const { values } = parseArgs({ options: { check: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const stage = await Stage.open();
try {
  await runSteps(stage, "millwright");
  if (values.check) await runSteps(stage, "terraform");
  await runSecretsSteps(stage);
  if (values.check || !process.stdout.isTTY) stage.say(`\n${stage.facts} facts were checked, and all of them hold.`);
  else await stage.leaveRunning();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`\nThis step fell short: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await stage.close();
}
