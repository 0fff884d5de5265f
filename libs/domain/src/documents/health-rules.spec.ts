import { document, errorsOf, linesOf, snapshotOf, VALID, type Tree } from './documents.testing.ts';

const DATABASES = document(
  'HealthRule',
  'databases',
  `
  group: example.com
  kind: Database
  ready: object.status.phase == "Running"
  failed: object.status.phase == "Failed"
  message: '"phase " + object.status.phase'`,
);
const rule = (name: string, spec: string): string => document('HealthRule', name, spec);
const errorsIn = (tree: Tree): readonly string[] => linesOf(snapshotOf({ ...VALID, ...tree }).errors);

describe('health rules in Git', () => {
  it('are in the snapshot, by name', () => {
    const queues = rule('a-queue', '{ group: example.com, kind: Queue, ready: "true" }');
    const { snapshot, errors } = snapshotOf({ ...VALID, 'rules.yaml': `${DATABASES}---\n${queues}` });
    expect(linesOf(errors)).toEqual([]);
    expect(snapshot!.healthRules.map(({ name }) => name)).toEqual(['a-queue', 'databases']);
    expect(snapshot!.healthRules[1]).toEqual({
      kind: 'HealthRule',
      name: 'databases',
      labels: {},
      rule: {
        group: 'example.com',
        kind: 'Database',
        ready: 'object.status.phase == "Running"',
        failed: 'object.status.phase == "Failed"',
        message: '"phase " + object.status.phase',
      },
    });
  });

  it('name file, line, field and remedy of every expression that is wrong', () => {
    const wrong = DATABASES.replace('object.status.phase == "Running"', 'status.phase')
      .replace('== "Failed"', '==')
      .replace(`'"phase " + object.status.phase'`, '"1"');
    expect(linesOf(errorsOf(wrong, 'rules.yaml'))).toEqual([
      'rules.yaml:7:10 HealthRule/databases spec.ready: is not an expression for this: Unknown variable: status (line 1, column 1); Use object.',
      expect.stringMatching(
        /^rules\.yaml:8:11 HealthRule\/databases spec\.failed: is not an expression for this: .*\(line 1, column \d+\); /,
      ),
      'rules.yaml:9:12 HealthRule/databases spec.message: is not an expression for this: the expression gives int, not a text; Write one that gives a text.',
    ]);
  });

  it.each([
    ['{ group: example.com, kind: Database }', 'spec.ready: is missing'],
    ['{ group: example.com, kind: Database, ready: "true", redy: "true" }', 'spec.redy: is not a known field'],
    ['{ group: example.com/v1, kind: Database, ready: "true" }', 'write it without a version'],
    ['{ group: "", kind: ConfigMap, ready: "true" }', 'is not the API group of a kind of your own'],
    ['{ group: apps, kind: Deployment, ready: "true" }', 'is not the API group of a kind of your own'],
    [
      '{ group: networking.k8s.io, kind: Ingress, ready: "true" }',
      'spec.kind: is judged by the rules of Kubernetes; take the document out',
    ],
    [
      '{ group: example.com, kind: databases, ready: "true" }',
      'spec.kind: "databases" is not a kind; write one such as Database',
    ],
    ['{ group: example.com, kind: Database, ready: true }', 'spec.ready: '],
    ['{ group: example.com, kind: Database, ready: " " }', 'the expression is empty'],
    [`{ group: example.com, kind: Database, ready: "${'!'.repeat(5000)}true" }`, 'has 5004 characters'],
  ])('refuse %s', (spec, expected) => {
    const lines = linesOf(errorsOf(rule('databases', spec)));
    expect(lines).toEqual([expect.stringContaining(expected)]);
  });

  it('are one for a group and kind, whatever they are called', () => {
    const second = rule('more', '{ group: example.com, kind: Database, ready: "false" }');
    const elsewhere = rule('other', '{ group: example.org, kind: Database, ready: "false" }');
    expect(errorsIn({ 'a.yaml': DATABASES, 'b.yaml': second, 'c.yaml': elsewhere })).toEqual([
      'b.yaml:4:35 HealthRule/more spec.kind: example.com/Database has a health rule already, databases in a.yaml:1; keep one of them',
    ]);
  });

  it('are so many that every plan can carry them', () => {
    const many = (count: number): Tree => ({
      'many.yaml': Array.from({ length: count }, (_, n) =>
        rule(`rule-${n}`, `{ group: example.com, kind: Kind${n}, ready: "true" }`),
      ).join('---\n'),
    });
    expect(errorsIn(many(100))).toEqual([]);
    expect(errorsIn(many(102))).toEqual([expect.stringContaining('keep at most 100')]);
  });

  it('block the snapshot when one is wrong: what is healthy may not depend on half of the rules', () => {
    const { snapshot } = snapshotOf({ ...VALID, 'rule.yaml': rule('a', '{ group: example.com, kind: A, ready: "" }') });
    expect(snapshot).toBeNull();
  });
});
