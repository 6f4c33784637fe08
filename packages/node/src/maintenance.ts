import type { CheckDefinition } from "./check-definition.ts";

/** The id of the check that says that the node is under maintenance. */
export const nodeMaintenanceId = "_node_maintenance";

/** The same for a service. */
export function serviceMaintenanceId(serviceId: string): string {
  return `_service_maintenance:${serviceId}`;
}

/** Whether the check of that id takes something out of service for maintenance. */
export function isMaintenanceId(id: string): boolean {
  return id === nodeMaintenanceId || id.startsWith("_service_maintenance:");
}

/** The check that takes a service, or with an empty `serviceId` the node, out of service until it is lifted. */
export function maintenanceCheck(serviceId: string, reason: string): CheckDefinition {
  const [what, id, name] =
    serviceId === ""
      ? ["node", nodeMaintenanceId, "Node Maintenance Mode"]
      : ["service", serviceMaintenanceId(serviceId), "Service Maintenance Mode"];
  const notes =
    reason || `Maintenance mode is enabled for this ${what}, but no reason was provided. This is a default message.`;
  return {
    id,
    name,
    notes,
    serviceId,
    probe: { kind: "maintenance" },
    initialStatus: "critical",
    successBeforePassing: 0,
    failuresBeforeWarning: 0,
    failuresBeforeCritical: 0,
    deregisterAfter: 0,
    outputMaxSize: 0,
  };
}
