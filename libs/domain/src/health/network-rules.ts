import { listAt, numberAt, stringAt, valueAt } from './json-field.ts';
import { healthy, progressing } from './object-health.ts';
import type { HealthRule } from './object-health.ts';

export const assessService: HealthRule = (service) => {
  if (stringAt(service, 'spec', 'type') !== 'LoadBalancer') return healthy('Exists', 'the Service exists');
  const external = valueAt(service, 'spec', 'externalIPs');
  if (Array.isArray(external) && external.length > 0) return healthy('Exists', 'the Service has external addresses');
  const address = addressOf(service);
  if (address === undefined) {
    const balancerClass = stringAt(service, 'spec', 'loadBalancerClass');
    const by = balancerClass === undefined ? '' : `; its class is ${balancerClass}`;
    return progressing('LoadBalancerPending', `the load balancer has no address yet${by}`);
  }
  const refused = refusedPortOf(service);
  return refused === undefined
    ? healthy('LoadBalancerReady', `the load balancer's address is ${address}`)
    : progressing('LoadBalancerPortError', refused);
};

const refusedPortOf = (service: unknown): string | undefined => {
  for (const ingress of listAt(service, 'status', 'loadBalancer', 'ingress')) {
    for (const port of listAt(ingress, 'ports')) {
      const error = stringAt(port, 'error');
      if (error !== undefined) return `port ${numberAt(port, 'port') ?? '?'} of the load balancer: ${error}`;
    }
  }
  return undefined;
};

/** Many controllers never write an address, so none says nothing; kstatus has no rule either. */
export const assessIngress: HealthRule = (ingress) => {
  const address = addressOf(ingress);
  return healthy('Exists', address === undefined ? 'exists; no address is assigned' : `its address is ${address}`);
};

const addressOf = (object: unknown): string | undefined => {
  const [first] = listAt(object, 'status', 'loadBalancer', 'ingress');
  return stringAt(first, 'ip') ?? stringAt(first, 'hostname');
};
