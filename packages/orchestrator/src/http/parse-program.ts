import { json } from "node:stream/consumers";
import { systemChance, systemClock } from "@millwright/core/ports";
import { type JobText, parseJob } from "./parse-job.ts";

/* The program of `parseApart`: reads one job file from its standard input, says what is in it, and ends. */

const asked = (await json(process.stdin)) as JobText;
process.stdout.write(JSON.stringify(parseJob(asked, { clock: systemClock, chance: systemChance })));
