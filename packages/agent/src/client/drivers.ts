import { OperationalError } from "@millwright/core/errors";
import { dockerDriver } from "../docker/docker-driver.ts";
import type { TaskDriver } from "../driver/driver.ts";
import { driverErrors } from "../driver/errors.ts";
import { rawExecDriver } from "../driver/raw-exec.ts";
import type { DriverSettings } from "./settings.ts";

/** The drivers of a node, also those that are off: they say so, where a job asks for them. */
export function driversOf(settings: DriverSettings, node: string): readonly TaskDriver[] {
  const { rawExec = false, docker = {}, allowed = [], denied = [] } = settings;
  const { endpoint, privileged = false, hostVolumes = false } = docker;
  const all = [
    rawExec ? rawExecDriver({ node }) : driverThatIsOff("raw_exec", howToRawExec),
    dockerDriver({ ...(endpoint === undefined ? {} : { endpoint }), permissions: { privileged, hostVolumes } }),
  ];
  return all.map((driver) => {
    if (denied.includes(driver.name) || (allowed.length > 0 && !allowed.includes(driver.name)))
      return driverThatIsOff(
        driver.name,
        "the agent's configuration does not allow it (driver.allowlist, driver.denylist)",
      );
    return driver;
  });
}

const howToRawExec =
  'it runs programs without isolation, and has to be enabled: start the agent with -driver-raw-exec, or write plugin "raw_exec" { config { enabled = true } } in its configuration';

/** Stands for a driver that the operator does not want. */
function driverThatIsOff(name: string, why: string): TaskDriver {
  const description = `The driver ${name} is off on this node: ${why}.`;
  return {
    name,
    fingerprint: async () => ({ detected: false, healthy: false, description, attributes: {} }),
    start: async () => {
      throw new OperationalError(driverErrors.missing, description);
    },
    // A task that it started before it was turned off is no more this node's to run.
    recover: async () => undefined,
  };
}
