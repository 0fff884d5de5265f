import type { GateProbe, MeasureRequest } from '@breakwater/application';
import type { AlertsSpec, Measurement } from '@breakwater/domain';
import type { BoundedReply } from '../bounded-request.ts';
import { measureEach } from '../each-cluster.ts';
import type { GateTools } from '../gate-tools.ts';
import { errorOf, isMapping, parseJson, printable, urlOf } from '../prometheus/prometheus-api.ts';
import { authorise } from '../secret-store.ts';
import type { TemplateValues } from '../template.ts';
import { asText, asUrlComponent, fillTemplate, isPerCluster } from '../template.ts';

const NAMED = 5;
const MATCHER = /^([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*([\s\S]*)$/;
const REGEX_SIGNS = /[.*+?()[\]{}|^$\\]/g;

export class AlertsProbe implements GateProbe {
  readonly kind = 'alerts';
  readonly #tools: GateTools;

  constructor(tools: GateTools) {
    this.#tools = tools;
  }

  measure(request: MeasureRequest): Promise<Measurement> {
    const spec = request.gate.spec as unknown as AlertsSpec;
    const perCluster = isPerCluster(spec.address, ...spec.matchers);
    return measureEach(request, perCluster, (values) => this.#ask(spec, values, request.signal));
  }

  async #ask(spec: AlertsSpec, values: TemplateValues, signal: AbortSignal): Promise<Measurement> {
    const url = urlOf(fillTemplate(spec.address, values, asUrlComponent), 'api/v2/alerts');
    if (url === null) return errorOf('the address is not one after its templates were filled in');
    const refusal = this.#tools.http.refusal(url);
    if (refusal !== null) return errorOf(refusal);
    url.searchParams.set('active', 'true');
    url.searchParams.set('silenced', String(spec.includeSilenced));
    url.searchParams.set('inhibited', 'true');
    url.searchParams.set('unprocessed', 'true');
    for (const matcher of spec.matchers) url.searchParams.append('filter', matcherOf(matcher, values));
    const authorisation = await authorise(this.#tools.secrets, spec.auth, url);
    if ('refusal' in authorisation) return errorOf(authorisation.refusal);
    const headers = { accept: 'application/json', ...authorisation.headers };
    return judgeAlerts(await this.#tools.http.send({ url, headers, timeout: spec.timeout, signal }), url.host);
  }
}

/** `label="value"` as Alertmanager reads it; quotes around the value are optional in Git. What a template brings means itself. */
export const matcherOf = (matcher: string, values: TemplateValues): string => {
  const [, label = '', sign = '=', raw = ''] = MATCHER.exec(matcher.trim()) ?? [];
  const bare = /^"[\s\S]*"$/.test(raw) && raw.length > 1 ? raw.slice(1, -1) : raw;
  const escape = sign.endsWith('~') ? (value: string): string => value.replaceAll(REGEX_SIGNS, '\\$&') : asText;
  return `${label}${sign}${JSON.stringify(fillTemplate(bare, values, escape))}`;
};

interface Alert {
  readonly name: string;
  readonly since: string;
}

export const judgeAlerts = (reply: BoundedReply, host: string): Measurement => {
  if (!reply.ok) return errorOf(reply.reason);
  const body = parseJson(reply.body);
  if (reply.status !== 200) {
    return errorOf(`${host} answered ${reply.status}${typeof body === 'string' ? `: ${printable(body)}` : ''}`);
  }
  const alerts = Array.isArray(body) ? body.map(alertOf) : null;
  if (alerts === null || !alerts.every((alert) => alert !== null)) {
    return errorOf(`${host} answered something that is not Alertmanager's list of alerts`);
  }
  if (alerts.length === 0) return { verdict: 'Success', evidence: 'no matching alert fires' };
  const named = [...alerts]
    .sort((a, b) => (a.since < b.since ? -1 : 1))
    .slice(0, NAMED)
    .map(({ name, since }) => `${name} since ${since}`);
  if (alerts.length > NAMED) named.push(`and ${alerts.length - NAMED} more`);
  return {
    verdict: 'Failure',
    evidence: `${alerts.length} ${alerts.length === 1 ? 'alert fires' : 'alerts fire'}: ${named.join(', ')}`,
  };
};

/** Labels that tell one alert from another of the same name. */
const TELLING = ['cluster', 'namespace', 'severity'] as const;

const alertOf = (value: unknown): Alert | null => {
  if (!isMapping(value) || !isMapping(value['labels'])) return null;
  const labels = value['labels'];
  const startsAt = typeof value['startsAt'] === 'string' ? Date.parse(value['startsAt']) : NaN;
  const name = typeof labels['alertname'] === 'string' ? labels['alertname'] : 'unnamed';
  const told = TELLING.flatMap((label) => (typeof labels[label] === 'string' ? [`${label}=${labels[label]}`] : []));
  return {
    name: printable(told.length === 0 ? name : `${name} (${told.join(', ')})`),
    since: Number.isNaN(startsAt) ? 'an unknown time' : new Date(startsAt).toISOString(),
  };
};
