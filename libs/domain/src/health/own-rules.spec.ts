import { objectKey, type KubeObject } from '../kubernetes/object.ts';
import { assessObject } from './assess-object.ts';
import { assessWorkloads } from './assess-workloads.ts';
import { compileHealthRule, ownRulesFor } from './own-rules.ts';
import type { OwnHealthRule } from './own-rules.ts';
import { ago, deployment, isFalse, isTrue, NOW, object } from './testing/kube-builders.ts';

const RULE: OwnHealthRule = {
  group: 'example.org',
  kind: 'Database',
  ready: 'object.status.phase == "Running" && object.status.replicas >= object.spec.replicas',
  failed: 'object.status.phase == "Broken"',
  message: '"phase " + object.status.phase',
};

const ruleOf = (own: OwnHealthRule) => {
  const compiled = compileHealthRule(own);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.rule;
};

const rulesOf = (...rules: readonly OwnHealthRule[]) =>
  new Map(rules.map((own) => [`${own.group}/${own.kind}`, ruleOf(own)]));

const database = (status: object, metadata: object = {}): KubeObject =>
  object('example.org/v1', 'Database', {
    metadata: { generation: 2, ...metadata },
    spec: { replicas: 3 },
    status: { ...status },
  });

const judged = (given: KubeObject, rule: Partial<OwnHealthRule> = {}) =>
  assessObject(given, NOW, { rules: rulesOf({ ...RULE, ...rule }) });

describe('a rule for a kind of the user', () => {
  it.each([
    [
      'makes an object healthy that is ready',
      { phase: 'Running', replicas: 3 },
      'Healthy',
      'ReadyByRule',
      'phase Running',
    ],
    [
      'lets one progress that is not ready',
      { phase: 'Running', replicas: 2 },
      'Progressing',
      'NotReadyByRule',
      'phase Running',
    ],
    ['fails one that has failed', { phase: 'Broken', replicas: 3 }, 'Failing', 'FailedByRule', 'phase Broken'],
    [
      'lets one progress whose status is not there yet, and says what is missing',
      {},
      'Progressing',
      'NotReadyByRule',
      'not ready by the rule for its kind: No such key: replicas',
    ],
  ])('%s', (_, status, expected, reason, message) => {
    expect(judged(database(status))).toEqual({ status: expected, reason, message });
  });

  it('asks first whether the object has failed', () => {
    expect(judged(database({ phase: 'Broken' }), { ready: 'true' })).toMatchObject({ status: 'Failing' });
  });

  it('counts more than the conditions of the object', () => {
    const conditions = [isFalse('Ready', 'No'), isTrue('Reconciling')];
    expect(judged(database({ phase: 'Running', replicas: 3, conditions }))).toMatchObject({ status: 'Healthy' });
    expect(assessObject(database({ phase: 'Running', replicas: 3, conditions }), NOW)).toMatchObject({
      status: 'Progressing',
    });
  });

  it('does not make an object healthy that is being deleted, or whose status is about an older generation', () => {
    const running = { phase: 'Running', replicas: 3 };
    expect(judged(database(running, { deletionTimestamp: ago(1) }))).toMatchObject({ status: 'Terminating' });
    expect(judged(database({ ...running, observedGeneration: 1 }))).toMatchObject({ reason: 'GenerationNotObserved' });
  });

  it('is for its group and kind alone', () => {
    const other = object('other.org/v1', 'Database', { status: { phase: 'Broken' } });
    expect(judged(other)).toMatchObject({ status: 'Healthy', reason: 'Exists' });
  });

  it('leaves the kinds of Kubernetes to their own rules', () => {
    const rules = rulesOf({ group: 'apps', kind: 'Deployment', ready: 'true' });
    expect(assessObject(deployment({ status: { availableReplicas: 0 } }), NOW, { rules })).toMatchObject({
      status: 'Progressing',
    });
  });

  it.each([
    ['ready', { ready: 'object.status.phase + 1 == 2' }],
    ['ready', { ready: 'object.status.list.all(a, object.status.list.all(b, object.status.list.all(c, c >= 0)))' }],
    ['failed', { failed: 'object.status.phase > 1', ready: 'true' }],
  ])('that cannot be evaluated leaves the object unknown, never healthy (%s: %j)', (field, rule) => {
    const list = Array.from({ length: 500 }, (_, n) => n);
    const health = judged(database({ phase: 'Running', list }), rule);
    expect(health).toMatchObject({ status: 'Unknown', reason: 'HealthRuleBroken' });
    expect(health.message).toContain(`(${field})`);
  });

  it('has a message of our own where its own cannot be made', () => {
    expect(judged(database({ phase: 'Running', replicas: 3 }), { message: 'object.status.nope' })).toEqual({
      status: 'Healthy',
      reason: 'ReadyByRule',
      message: 'ready by the rule for its kind',
    });
  });

  it('cannot bring a terminal escape into a message', () => {
    expect(judged(database({ phase: '\u001b[31mred\n' })).message).toBe('phase [31mred');
  });

  it('is told of with all of its problems', () => {
    const compiled = compileHealthRule({ ...RULE, ready: 'status.phase', failed: 'object.a ==', message: '1' });
    expect(compiled.ok).toBe(false);
    expect(compiled).toMatchObject({
      problems: [
        { field: 'ready', error: { code: 'Invalid', remedy: 'Use object.' } },
        { field: 'failed', error: { code: 'Invalid', position: { line: 1, column: 12 } } },
        { field: 'message', error: { message: 'the expression gives int, not a text' } },
      ],
    });
  });

  it('is obeyed where an application is judged', () => {
    const observed = { objects: [database({ phase: 'Broken' })], pods: [], replicaSets: [], events: [], now: NOW };
    expect(assessWorkloads(observed).verdict).toBe('Healthy');
    expect(assessWorkloads({ ...observed, rules: rulesOf(RULE) })).toMatchObject({
      verdict: 'Failing',
      worst: { evidence: 'phase Broken' },
    });
  });

  it('fails an application fast, as it says that nothing will mend by itself', () => {
    const observed = { pods: [], replicaSets: [], events: [], now: NOW, rules: rulesOf(RULE) };
    expect(assessWorkloads({ ...observed, objects: [database({ phase: 'Broken' })] }).failFast).toEqual({
      object: 'example.org/Database/podinfo/web',
      reason: 'FailedByRule',
      message: 'phase Broken',
    });
    expect(assessWorkloads({ ...observed, objects: [database({ phase: 'Creating' })] }).failFast).toBeNull();
  });

  it('has the first word in the evidence, before an event of the object', () => {
    const live = database({ phase: 'Creating', replicas: 0 });
    const warning: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'podinfo' },
      type: 'Warning',
      reason: 'NoVolume',
      message: 'no volume yet',
      lastTimestamp: ago(1),
      involvedObject: { kind: 'Database', name: 'web', namespace: 'podinfo', uid: live.metadata.uid },
    };
    const observed = { objects: [live], pods: [], replicaSets: [], events: [warning], now: NOW };
    expect(assessWorkloads({ ...observed, rules: rulesOf(RULE) }).worst).toEqual({
      object: 'example.org/Database/podinfo/web',
      evidence: 'phase Creating: NoVolume on web: no volume yet',
    });
  });
});

describe('the rules of a plan', () => {
  const databases = (count: number): KubeObject[] =>
    Array.from({ length: count }, (_, n) => {
      const { metadata, ...rest } = database({ phase: 'Running', replicas: 3 });
      return { ...rest, metadata: { ...metadata, name: `db-${n}` } } as KubeObject;
    });
  const look = (objects: readonly KubeObject[], ...rules: readonly OwnHealthRule[]) =>
    assessWorkloads({
      objects,
      pods: [],
      replicaSets: [],
      events: [],
      now: NOW,
      rules: ownRulesFor(rules, objects.map(objectKey)),
    });

  it('are made ready for those kinds that are looked at', () => {
    const rules = [RULE, { ...RULE, group: 'other.org', kind: 'Queue' }];
    expect([...ownRulesFor(rules, databases(2).map(objectKey)).keys()]).toEqual(['example.org/Database']);
    expect(look(databases(200), ...rules)).toMatchObject({ verdict: 'Healthy', worst: null });
  });

  it('leave objects unknown, and say why, where one of them cannot be read any more', () => {
    expect(look(databases(1), { ...RULE, ready: 'object.status.phase ==' })).toMatchObject({
      verdict: 'Progressing',
      objects: [{ status: 'Unknown', reason: 'HealthRuleBroken', message: expect.stringContaining('(ready)') }],
    });
  });

  it('cost a bounded time together, however many objects there are', () => {
    const dear = 'object.list.all(a, object.list.all(b, a + b >= 0))';
    const objects = databases(500).map((object) => ({ ...object, list: Array.from({ length: 100 }, (_, n) => n) }));
    const { verdict, objects: judged } = look(objects, { ...RULE, ready: dear });
    expect(verdict).toBe('Progressing');
    const healthy = judged.filter(({ status }) => status === 'Healthy').length;
    expect(healthy).toBeGreaterThan(0);
    expect(healthy).toBeLessThan(100);
    expect(judged.at(-1)).toMatchObject({
      status: 'Unknown',
      reason: 'HealthRuleBroken',
      message: expect.stringContaining('the steps that all of them may take together'),
    });
  });
});
