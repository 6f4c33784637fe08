import { testPluginKills } from "./plugin-kills.ts";

testPluginKills({ kills: Number(process.env.KILLS ?? 100), killsPerStage: 12, share: 1 });
