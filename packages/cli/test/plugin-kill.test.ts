import { testPluginKills } from "./plugin-kills.ts";

/* What the journal promises with providers that are programs, shown by kill -9. */

testPluginKills({ kills: 3, killsPerStage: 1, share: 0.2 });
