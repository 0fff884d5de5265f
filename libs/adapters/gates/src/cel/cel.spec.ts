import type { ClusterConnection, ReadOutcome, ReadRequest } from '@breakwater/application';
import { gateKind } from '@breakwater/domain';
import type { KubeObject } from '@breakwater/domain';
import { gateRequest } from '../testing/gate-request.ts';
import { CelProbe } from './cel.probe.ts';

const probe = new CelProbe();
const migration = (status: object): KubeObject => ({
  apiVersion: 'db.example.com/v1',
  kind: 'Migration',
  metadata: { name: 'shop-c0ffee', managedFields: [] },
  ...status,
});
const read = (...objects: KubeObject[]): ReadOutcome => ({ kind: 'Read', objects, complete: true });

describe('the cel gate', () => {
  const asked: ReadRequest[] = [];
  const measure = (spec: object, ...outcomes: ReadOutcome[]): ReturnType<CelProbe['measure']> => {
    asked.length = 0;
    return probe.measure(
      gateRequest('cel', spec as never, {
        clusters: outcomes.map((_, index) => ({ name: `eu-${index}`, region: 'eu' })),
        connect: (cluster) =>
          Promise.resolve({
            readObjects: (request: ReadRequest) => {
              asked.push(request);
              return Promise.resolve(outcomes[Number(cluster.slice(3))]!);
            },
          } as unknown as ClusterConnection),
      }),
    );
  };
  const objects = [{ apiVersion: 'db.example.com/v1', kind: 'Migration', name: 'shop-{commit}' }];
  const spec = { objects, success: 'object.status.phase == "Done"', failure: 'object.status.phase == "Broken"' };

  it.each([
    [{ status: { phase: 'Done' } }, 'Success', 'meets success'],
    [{ status: { phase: 'Broken' } }, 'Failure', 'meets failure object.status.phase == "Broken"'],
    [{ status: { phase: 'Running' } }, 'Inconclusive', 'neither'],
    [{}, 'Inconclusive', 'has no answer'],
  ])('judges %j as %s', async (status, verdict, evidence) => {
    expect(await measure(spec, read(migration(status)))).toEqual({
      verdict,
      evidence: expect.stringContaining(evidence),
    });
    expect(asked[0]).toMatchObject({ name: 'shop-c0ffee', namespace: 'shop-system', limit: 500 });
  });

  it('fails what does not meet its only condition', async () => {
    const only = { objects, success: spec.success };
    expect(await measure(only, read(migration({ status: { phase: 'Running' } })))).toMatchObject({
      verdict: 'Failure',
    });
  });

  it('is inconclusive without the object, unless the conditions may do without it', async () => {
    expect(await measure(spec, read())).toEqual({
      verdict: 'Inconclusive',
      evidence: 'Migration shop-c0ffee is not there',
    });
    const optional = { objects: [{ ...objects[0], optional: true }], success: 'object == null' };
    expect(await measure(optional, read())).toMatchObject({ verdict: 'Success' });
  });

  it('looks at several kinds and at lists, and knows no field of a prototype', async () => {
    const lists = { objects: [{ apiVersion: 'v1', kind: 'Pod', labels: { app: '{application}' } }] };
    const pods = read(migration({ status: { phase: 'Done' } }), migration({ status: { phase: 'Odd' } }));
    expect(await measure({ ...lists, success: 'size(objects) == 2' }, pods)).toMatchObject({ verdict: 'Success' });
    expect(asked[0]).toMatchObject({ labels: { app: 'shop' } });
    expect(await measure({ ...lists, success: 'objects.all(o, o.status.phase == "Done")' }, pods)).toMatchObject({
      verdict: 'Failure',
    });
    expect(await measure({ ...lists, success: '"constructor" in objects[0]' }, pods)).toMatchObject({
      verdict: 'Failure',
    });
  });

  it('names the clusters of a wave that fail, and blames no release for one that is away', async () => {
    const away: ReadOutcome = {
      kind: 'Unreachable',
      reason: 'Timeout',
      message: 'no answer',
      retryAfterMs: null,
      partial: false,
    };
    const good = read(migration({ status: { phase: 'Done' } }));
    expect(await measure(spec, good, away)).toEqual({
      verdict: 'Error',
      evidence: '1 of 2 clusters: eu-1: Timeout: no answer',
    });
    const bad = read(migration({ status: { phase: 'Broken' } }));
    expect(await measure(spec, good, bad, away)).toMatchObject({
      verdict: 'Failure',
      evidence: expect.stringMatching(/^1 of 3 clusters: eu-1: /),
    });
  });

  it('does not judge a part of too many objects', async () => {
    const lists = { objects: [{ apiVersion: 'v1', kind: 'Pod' }], success: 'size(objects) < 1000' };
    expect(await measure(lists, { kind: 'Read', objects: [], complete: false })).toMatchObject({ verdict: 'Error' });
  });

  it('ends an expression that explodes', async () => {
    const many = read(...Array.from({ length: 400 }, () => migration({ status: { phase: 'Done' } })));
    const nested = 'objects.all(a, objects.all(b, objects.all(c, a.kind == b.kind && b.kind == c.kind)))';
    const lists = { objects: [{ apiVersion: 'v1', kind: 'Pod' }], success: nested };
    expect(await measure(lists, many)).toMatchObject({
      verdict: 'Inconclusive',
      evidence: expect.stringContaining('needs more than'),
    });
  });

  it.each([
    [{ objects, success: 'object.status.phase ==' }, /is not a condition: .*\(line 1, column \d+\)/],
    [{ objects, success: 'other.status' }, /is not a condition: .*\(line 1, column 1\)/],
    [{ objects }, /has no condition/],
    [{ objects: [...objects, ...objects], success: 'true' }, /as another one is/],
    [{ objects: [{ apiVersion: 'v1', kind: 'Secret', name: 'a' }], success: 'true' }, /is not read for gates/],
    [{ objects: [{ ...objects[0], as: 'in' }], success: 'true' }, /is a word of CEL/],
    [{ objects: [{ ...objects[0], apiVersion: '../v1' }], success: 'true' }, /is not an API version/],
  ])('refuses %j', (bad, message) => {
    const parsed = gateKind('cel')!.schema().safeParse(bad);
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([expect.stringMatching(message)]);
  });
});
