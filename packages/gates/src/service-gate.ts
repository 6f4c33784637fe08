import { messageOf, OperationalError } from "@millwright/core/errors";
import type { ConsulClient } from "@millwright/clients/consul";
import { RefusedAnswer } from "@millwright/clients/consul-api";
import { clientErrors } from "@millwright/clients/errors";
import { usual } from "./gate-spec.ts";
import type { Gate } from "./gate.ts";
import type { Finding } from "./steady.ts";
import { Steady, type Steadiness } from "./steady.ts";

export interface ServiceProbe {
  readonly service: string;
  readonly tag?: string;
  /** How many instances have to be healthy. */
  readonly least: number;
  /** How many may be unhealthy. */
  readonly mostUnhealthy: number;
}

/** Goes on once enough instances of a service are healthy in discovery. */
export function serviceGate(
  name: string,
  client: Pick<ConsulClient, "health">,
  probe: ServiceProbe,
  settings: Steadiness,
): Gate {
  const steady = new Steady(settings);
  return { name, decide: async (view, signal) => steady.decide(await look(client, probe, signal), view) };
}

async function look(
  { health }: Pick<ConsulClient, "health">,
  { service, tag, least, mostUnhealthy }: ServiceProbe,
  signal: AbortSignal,
): Promise<Finding> {
  const late = AbortSignal.timeout(usual.queryTimeout);
  try {
    const options = { signal: AbortSignal.any([signal, late]), ...(tag === undefined ? {} : { tag }) };
    const { value: instances } = await health.service(service, options);
    const healthy = instances.filter(({ checks }) => checks.every(({ status }) => status === "passing")).length;
    const unhealthy = instances.length - healthy;
    const what = `${healthy} of ${instances.length} instances of ${service} are healthy`;
    const good = healthy >= least && unhealthy <= mostUnhealthy;
    return {
      good,
      what: good ? what : `${what}; at least ${least}, and at most ${mostUnhealthy} that are not, are wanted`,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { good: false, what: `discovery did not answer${late.aborted ? " in time" : `: ${why(error)}`}` };
  }
}

// Whose gate it is may not be whoever may read what the address answers.
function why(error: unknown): string {
  if (!(error instanceof OperationalError)) return messageOf(error);
  if (error.cause instanceof RefusedAnswer) return `its status was ${error.cause.status}`;
  return error.code === clientErrors.badAnswer.code ? "what it answered is not Consul's" : error.message;
}
