import type { IncomingMessage, ServerResponse } from 'node:http';
import { isWatch } from '../api/api-request.ts';
import type { ApiAnswer, ApiRequest, WatchAnswer } from '../api/api-request.ts';
import { StatusError } from '../api/status-error.ts';
import { requestClass } from '../faults.ts';
import type { FaultKind } from '../faults.ts';
import type { SimulatedCluster } from '../cluster.ts';

/** Bodies past this are refused, as etcd and the API server do. */
const maxBodyBytes = 3 * 1024 * 1024;
const noBody = Buffer.alloc(0);

/** Reads a request for one cluster, lets its faults act, and writes the answer. */
export function handleRequest(
  cluster: SimulatedCluster,
  path: string,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  });
  incoming.on('end', () => {
    const mark = path.indexOf('?');
    const { headers, method = 'GET' } = incoming;
    const request: ApiRequest = {
      method,
      path: mark < 0 ? path : path.slice(0, mark),
      query: new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1)),
      contentType: headers['content-type'] ?? '',
      accept: headers.accept ?? '',
      userAgent: headers['user-agent'] ?? '',
      authorization: headers.authorization ?? '',
      body: chunks.length === 1 ? (chunks[0] ?? noBody) : Buffer.concat(chunks),
    };
    serve(cluster, request, response, size > maxBodyBytes);
  });
}

function serve(cluster: SimulatedCluster, request: ApiRequest, response: ServerResponse, tooLarge: boolean): void {
  const kind = requestClass(request);
  cluster.count(kind);
  const record = kind === 'write' ? cluster.log.receive(request) : undefined;
  let fault = cluster.faults.meet(request);
  const settle = (status: number | undefined, changed: boolean): void => {
    if (!record) return;
    record.status = status;
    record.changed = changed;
    record.answeredAt = Date.now();
  };
  const proceed = (): void => {
    if (fault?.kind === 'refuse') {
      response.socket?.destroy();
      return settle(undefined, false);
    }
    const before = cluster.store.revision;
    const answer = tooLarge
      ? failure(new StatusError(413, 'RequestEntityTooLarge', 'limit is 3145728'))
      : answered(cluster, request, fault);
    if (isWatch(answer)) return stream(cluster, answer, response);
    if (record && record.name === undefined) record.name = createdName(answer);
    const changed = cluster.store.revision !== before;
    if (fault?.kind === 'lose-answer') {
      response.socket?.destroy();
      return settle(undefined, changed);
    }
    settle(answer.code, changed);
    reply(response, answer);
  };
  const delay = cluster.latencyMs + (fault?.kind === 'latency' ? fault.ms : 0);
  if (fault?.kind === 'hang') {
    const wake = (): void => {
      fault = cluster.faults.meet(request);
      if (fault?.kind === 'hang') cluster.faults.wait(wake);
      else proceed();
    };
    cluster.faults.wait(wake);
  } else if (delay > 0) setTimeout(proceed, delay);
  else proceed();
}

interface HttpAnswer extends ApiAnswer {
  readonly retryAfterSeconds?: number | undefined;
}

function answered(
  cluster: SimulatedCluster,
  request: ApiRequest,
  fault: FaultKind | undefined,
): HttpAnswer | WatchAnswer {
  try {
    if (fault) refuseWith(fault);
    return cluster.api.answer(request);
  } catch (error) {
    if (error instanceof StatusError) return failure(error);
    const message = error instanceof Error ? error.message : 'unknown';
    return failure(new StatusError(500, 'InternalError', `Internal error occurred: simulator: ${message}`));
  }
}

function refuseWith(fault: FaultKind): void {
  switch (fault.kind) {
    case 'error': {
      const reason = fault.code === 503 ? 'ServiceUnavailable' : fault.code === 504 ? 'Timeout' : 'InternalError';
      throw new StatusError(fault.code, reason, fault.message ?? 'simulated fault');
    }
    case 'throttle': {
      const details = { retryAfterSeconds: fault.retryAfterSeconds };
      const message = 'the server has received too many requests and has asked us to try again later';
      throw new StatusError(429, 'TooManyRequests', message, details, fault.retryAfterSeconds);
    }
    case 'unauthorized':
      throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    case 'hang':
    case 'refuse':
    case 'lose-answer':
    case 'latency':
      return;
  }
}

function failure(error: StatusError): HttpAnswer {
  return { code: error.code, body: error.status(), retryAfterSeconds: error.retryAfterSeconds };
}

function createdName(answer: ApiAnswer): string | undefined {
  if (typeof answer.body === 'string' || answer.code >= 300) return undefined;
  const metadata = answer.body['metadata'];
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata ? String(metadata['name']) : undefined;
}

function reply(response: ServerResponse, answer: HttpAnswer): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  const body = Buffer.from(text, 'utf8');
  const type =
    answer.contentType ?? (typeof answer.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
  const headers: Record<string, string | number | string[]> = { 'content-type': type, 'content-length': body.length };
  if (answer.retryAfterSeconds !== undefined) headers['retry-after'] = answer.retryAfterSeconds;
  if (answer.warnings && answer.warnings.length > 0) {
    headers['warning'] = answer.warnings.map((text) => `299 - ${JSON.stringify(text)}`);
  }
  response.writeHead(answer.code, headers);
  response.end(body);
}

function stream(cluster: SimulatedCluster, answer: WatchAnswer, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  let held: string[] | undefined;
  const send = (frame: string): void => {
    // A server that hangs sends nothing, and everything at once when it goes on.
    if (held) held.push(frame);
    else if (cluster.faults.has('hang', 'watch')) {
      held = [frame];
      const release = (): void => {
        if (cluster.faults.has('hang', 'watch')) return cluster.faults.wait(release);
        for (const waiting of held ?? []) response.write(waiting);
        held = undefined;
      };
      cluster.faults.wait(release);
    } else response.write(frame);
  };
  const close = cluster.trackWatch(() => response.destroy());
  const stop = answer.watch(send, () => response.end());
  response.on('close', () => {
    stop();
    close();
  });
}
