import { testPluginKills } from "./plugin-kills.ts";

testPluginKills({
  kills: Number(process.env.KILLS ?? 100),
  killsPerStage: 12,
  stages: ["made", "changed", "destroyed"],
  share: 1,
});
