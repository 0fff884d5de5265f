import type { ServiceOutcome, ServiceRequest } from '@breakwater/application';
import { cutOff, Ended, refused } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { segment } from './kube-api.ts';
import { endOf, failureOf, statusOf } from './kube-status.ts';
import type { Reply } from './transport.ts';

const SHOWN = 300;
const NO_ANSWER =
  /no endpoints available for service|error trying to reach service|no service port|address not allowed/i;
const ABOUT_PROXY = /\bservices\/proxy\b|\bservices "[^"]*" is forbidden/;

/** What climbs would leave the Service, and end somewhere else on the API server, with the hub's own rights. */
const safePath = (path: string): string => {
  const [place = '', ...query] = path.split('?');
  const climbs = place.split('/').some((part) => {
    const plain = decoded(part);
    return plain === null || plain === '.' || plain === '..' || /[/\\]/.test(plain) || /%(2e|2f|5c)/i.test(plain);
  });
  if (!place.startsWith('/') || climbs || /[\s#]/.test(path)) {
    throw refused('Invalid', `${JSON.stringify(path.slice(0, SHOWN))} is not a path inside of a Service`);
  }
  return query.length === 0 ? place : `${place}?${query.join('?')}`;
};

const decoded = (part: string): string | null => {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
};

export const getService = async (api: KubeApi, request: ServiceRequest): Promise<ServiceOutcome> => {
  const target = `${request.scheme}:${segment(request.service)}:${segment(String(request.port))}`;
  const path = `/api/v1/namespaces/${segment(request.namespace)}/services/${target}/proxy${safePath(request.path)}`;
  const late = AbortSignal.timeout(request.timeout);
  const begun = performance.now();
  try {
    const reply = await api.transport.send({
      method: 'GET',
      path,
      accept: '*/*',
      maxBytes: request.maxBytes,
      signal: AbortSignal.any([request.signal, late]),
    });
    return outcomeOf(reply, request, performance.now() - begun);
  } catch (error) {
    if (request.signal.aborted) throw error;
    if (late.aborted) return { kind: 'Silent', message: `no answer within ${request.timeout} ms` };
    if (isOversized(error)) return { kind: 'Silent', message: `its answer is larger than ${request.maxBytes} bytes` };
    throw error;
  }
};

/** The one trouble with an answer's content that the transport itself has. */
const isOversized = (error: unknown): boolean =>
  error instanceof Ended && error.end.kind === 'Unreachable' && error.end.reason === 'ServerError';

/** The API server's own words are a `Status`; a Service may send one too, about other things. */
const outcomeOf = (reply: Reply, request: ServiceRequest, took: number): ServiceOutcome => {
  const status = statusOf(reply);
  const answered = { kind: 'Answered' as const, status: reply.status, body: reply.body, took };
  if (!status.isStatus) return answered;
  const place = `${request.namespace}/${request.service}`;
  if (reply.status === 404 && status.name === request.service && /^services /.test(status.message)) {
    // API servers say the same of a Service that has no Endpoints.
    return { kind: 'Silent', message: `there is no Service ${place}, or it has no endpoints` };
  }
  if (reply.status === 404 && /^namespaces /.test(status.message)) {
    return { kind: 'Silent', message: `there is no namespace ${request.namespace}` };
  }
  if (reply.status >= 500 && NO_ANSWER.test(status.message)) {
    return { kind: 'Silent', message: status.message.slice(0, SHOWN) };
  }
  if (reply.status === 401 || (reply.status === 403 && ABOUT_PROXY.test(status.message))) {
    const context = {
      object: null,
      name: '',
      mode: 'forward',
      existing: false,
      scrub: (text: string) => text,
    } as const;
    throw endOf(failureOf(reply, context), null, `GET services/${place}`);
  }
  if (reply.status === 429) {
    throw cutOff('Throttled', `services/${place}: ${status.message.slice(0, SHOWN)}`, {
      retryAfterMs: reply.retryAfterMs,
    });
  }
  return answered;
};
