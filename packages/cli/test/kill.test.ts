import { testKills } from "./kills.ts";

/* What the journal promises, shown by kill -9. `KILLS=500 SEED=7 npm run faults` goes on for longer. */

testKills(50);
