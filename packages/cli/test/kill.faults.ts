import { testKills } from "./kills.ts";

testKills(Number(process.env.KILLS ?? 300));
