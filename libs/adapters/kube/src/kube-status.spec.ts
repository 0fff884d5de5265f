import type { ObjectKey } from '@breakwater/domain';
import type { FailureContext } from './kube-status.ts';
import { describeConflict, failureOf } from './kube-status.ts';
import type { Reply } from './transport.ts';

const KEY = 'ConfigMap/shop/a' as ObjectKey;
const context: FailureContext = {
  object: KEY,
  name: 'a',
  mode: 'forward',
  existing: true,
  scrub: (text) => text.replaceAll('hunter2', '***'),
};

const reply = (status: number, body: object | string, retryAfterMs: number | null = null): Reply => ({
  status,
  body: typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', ...body }),
  contentType: 'application/json',
  retryAfterMs,
  serverTime: null,
  warnings: [],
});

const meaning = (it: Reply, overrides: Partial<FailureContext> = {}): unknown => {
  const failure = failureOf(it, { ...context, ...overrides });
  if (failure.kind !== 'Ended') return failure;
  const { end } = failure.ended;
  return end.kind === 'Fenced' ? end : { kind: end.kind, reason: end.reason };
};

describe('what an API server says', () => {
  it.each([
    [401, 'Unauthorized', 'Unauthorized'],
    [403, 'configmaps "a" is forbidden: User "x" cannot patch resource "configmaps" in API group ""', 'Forbidden'],
    [403, 'pods "a" is forbidden: exceeded quota: q, requested: pods=1', 'QuotaExceeded'],
    [403, 'pods "a" is forbidden: violates PodSecurity "restricted:latest"', 'AdmissionDenied'],
    [403, 'admission webhook "w" denied the request: no', 'AdmissionDenied'],
    [403, 'unable to create new content in namespace shop because it is being terminated', 'NamespaceTerminating'],
    [422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", 'AdmissionDenied'],
    [400, 'admission webhook "w" denied the request: no', 'AdmissionDenied'],
    [422, 'ConfigMap "a" is invalid', 'Invalid'],
    [400, 'strict decoding error: unknown field "dta"', 'Invalid'],
    [500, 'failed to create typed patch object: .dta: field not declared in schema', 'Invalid'],
    [413, 'Request entity too large', 'Invalid'],
  ])('%i %s is refused as %s', (status, message, reason) => {
    expect(meaning(reply(status, { message, code: status }))).toEqual({ kind: 'Refused', reason });
  });

  it('calls what is invalid over an existing object in a rollback impossible, and names the field', () => {
    const body = {
      message: 'field is immutable',
      details: { causes: [{ reason: 'FieldValueInvalid', message: 'field is immutable', field: 'spec.selector' }] },
    };
    const failure = failureOf(reply(422, body), { ...context, mode: 'rollback' });
    expect(failure).toMatchObject({
      kind: 'Ended',
      ended: {
        end: {
          reason: 'RollbackImpossible',
          object: KEY,
          message: 'cannot be taken back (spec.selector): field is immutable',
        },
      },
    });
    expect(meaning(reply(422, body), { mode: 'rollback', existing: false })).toEqual({
      kind: 'Refused',
      reason: 'Invalid',
    });
  });

  it('tells a conflict of field managers from having read stale', () => {
    const causes = [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-edit" using apps/v1',
        field: '.spec.replicas',
      },
    ];
    const failure = failureOf(reply(409, { reason: 'Conflict', details: { causes } }), context);
    expect(failure).toMatchObject({ kind: 'FieldConflict' });
    expect(describeConflict(causes)).toBe('.spec.replicas is owned by "kubectl-edit"');
    expect(meaning(reply(409, { reason: 'Conflict', message: 'the object has been modified' }))).toEqual({
      kind: 'Stale',
    });
  });

  it('tells an absent object, namespace and kind apart', () => {
    expect(
      meaning(reply(404, { message: 'configmaps "a" not found', details: { name: 'a', kind: 'configmaps' } })),
    ).toEqual({ kind: 'Absent' });
    expect(
      meaning(reply(404, { message: 'namespaces "shop" not found', details: { name: 'shop', kind: 'namespaces' } })),
    ).toMatchObject({ kind: 'NamespaceAbsent' });
    expect(meaning(reply(404, '404 page not found'))).toEqual({ kind: 'NotServed' });
    expect(meaning(reply(404, { message: 'the server could not find the requested resource', details: {} }))).toEqual({
      kind: 'NotServed',
    });
  });

  it('waits where waiting helps', () => {
    expect(meaning(reply(429, { message: 'slow down' }, 3000))).toMatchObject({
      kind: 'TryLater',
      reason: 'Throttled',
      afterMs: 3000,
    });
    expect(
      meaning(reply(500, { message: 'Internal error occurred: failed calling webhook "w": connection refused' })),
    ).toMatchObject({ kind: 'TryLater', reason: 'WebhookDown' });
    expect(meaning(reply(503, 'upstream gone'))).toEqual({ kind: 'Unreachable', reason: 'ServerError' });
  });

  it('reads no more of a message than anybody would', () => {
    const message = 'admission webhook '.repeat(200_000);
    const began = performance.now();
    const failure = failureOf(reply(403, { message }), context);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(failure.kind === 'Ended' && failure.ended.message.length).toBeLessThan(9_000);
  });

  it('scrubs what it quotes', () => {
    const failure = failureOf(reply(422, { message: 'Invalid value: "hunter2"' }), context);
    expect(JSON.stringify(failure.kind === 'Ended' ? failure.ended.end : null)).not.toContain('hunter2');
  });
});
