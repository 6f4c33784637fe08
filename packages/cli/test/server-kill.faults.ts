import { testServerKills } from "./server-kills.ts";

testServerKills(30);
