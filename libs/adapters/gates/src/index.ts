import type { GateProbe } from '@breakwater/application';
import { AlertsProbe } from './alerts/alerts.probe.ts';
import { AllowedHosts } from './allowed-hosts.ts';
import { BoundedHttp } from './bounded-request.ts';
import { CelProbe } from './cel/cel.probe.ts';
import { ComparisonProbe } from './comparison/comparison.probe.ts';
import type { GateTools } from './gate-tools.ts';
import { HttpProbe } from './http/http.probe.ts';
import { JobProbe } from './job/job.probe.ts';
import { PrometheusProbe } from './prometheus/prometheus.probe.ts';
import { DirectorySecretStore } from './secret-store.ts';
import { WebhookProbe } from './webhook/webhook.probe.ts';

export { ALLOWED_HOSTS_SETTING } from './allowed-hosts.ts';

export interface GateSettings {
  /** `host`, `host:port` or `*.suffix`; empty: gates reach nothing. */
  readonly allowedHosts: readonly string[];
  /** Where `<name>.token` lie; null: there are none. */
  readonly secretsDirectory: string | null;
  /** Certificates of authorities to trust instead of the system's, in PEM. */
  readonly ca?: string;
}

/** One line for each kind that needs the outside. */
const PROBES: readonly ((tools: GateTools) => GateProbe)[] = [
  (tools) => new AlertsProbe(tools),
  () => new CelProbe(),
  (tools) => new ComparisonProbe(tools),
  (tools) => new HttpProbe(tools),
  () => new JobProbe(),
  (tools) => new PrometheusProbe(tools),
  (tools) => new WebhookProbe(tools),
];

/** Throws on a host that it does not understand. */
export const createGateProbes = (settings: GateSettings): ReadonlyMap<string, GateProbe> => {
  const tools: GateTools = {
    http: new BoundedHttp(
      new AllowedHosts(settings.allowedHosts),
      settings.ca === undefined ? {} : { ca: settings.ca },
    ),
    secrets: new DirectorySecretStore(settings.secretsDirectory),
  };
  return new Map(PROBES.map((create) => create(tools)).map((probe) => [probe.kind, probe]));
};
