import { testPluginKills } from "./plugin-kills.ts";

/* What the journal promises with providers that are programs, shown by kill -9; `npm run faults -- plugin-kill` goes on for longer. */

testPluginKills({ kills: 3, killsPerStage: 2, stages: ["made", "changed"], share: 0.2 });
