import { agentRoutes } from "./agent-routes.ts";
import { allocationRoutes } from "./allocation-routes.ts";
import { clientRoutes } from "./client-routes.ts";
import type { HttpContext } from "./context.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import { evaluationRoutes } from "./evaluation-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { fixedRoutes } from "./fixed-routes.ts";
import { jobPartRoutes } from "./job-part-routes.ts";
import { jobRoutes } from "./job-routes.ts";
import { metricsRoutes } from "./metrics-route.ts";
import { nodeRoutes } from "./node-routes.ts";
import { parseRoutes } from "./parse-route.ts";
import { planRoutes } from "./plan-route.ts";
import type { Route } from "./route.ts";
import { searchRoutes } from "./search-routes.ts";

/** Nomad's public HTTP API, route by route. */
export function httpRoutes(context: HttpContext): Route[] {
  return [
    ...jobRoutes(context),
    ...parseRoutes(context),
    ...planRoutes(context),
    ...jobPartRoutes(context),
    ...allocationRoutes(context),
    ...evaluationRoutes(context),
    ...deploymentRoutes(context),
    ...nodeRoutes(context),
    ...clientRoutes(context),
    ...agentRoutes(context),
    ...metricsRoutes(context),
    ...fixedRoutes(context),
    ...searchRoutes(context),
    ...eventRoutes(context),
  ];
}
