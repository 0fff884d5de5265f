import type { Strategy } from '../fleet/index.ts';
import { document, linesOf, snapshotOf, VALID, type Tree } from './documents.testing.ts';

const GATE = document(
  'Gate',
  'sign-off',
  '{ parameters: [ { name: people }, { name: expires, default: 2h } ], template: { approval: { required: "${people}", expires: "${expires}" } } }',
);
const strategyWith = (gates: string, waves = '{ name: low, risk: low }, { name: rest }'): Tree => ({
  ...VALID,
  'gate.yaml': GATE,
  'strategy.yaml': document('Strategy', 'careful', `{ waves: [ ${waves} ], gates: [ ${gates} ] }`),
});
const careful = (tree: Tree): Strategy => {
  const { snapshot, errors } = snapshotOf(tree);
  expect(linesOf(errors)).toEqual([]);
  return snapshot!.strategies[0]!;
};
const errorsIn = (tree: Tree): string => linesOf(snapshotOf(tree).errors).join('\n');

describe('gates in Git', () => {
  it('are the workloads gate alone where a strategy names none', () => {
    expect(careful(strategyWith(''))).toMatchObject({
      workloads: { name: 'workloads-ready', timeout: 300_000 },
      gates: [],
    });
  });

  it('have the defaults of their kind', () => {
    const [gate] = careful(strategyWith('{ name: people, approval: {} }')).gates;
    expect(gate).toEqual({
      name: 'people',
      kind: 'approval',
      phase: 'before',
      waves: null,
      spec: { required: 1, fourEyes: true },
      policy: {
        initialDelay: 0,
        interval: 0,
        count: 1,
        failureLimit: 0,
        inconclusiveLimit: 0,
        consecutiveErrorLimit: 4,
        timeout: null,
        onInconclusive: 'wait',
      },
    });
  });

  it('take a wave’s approval as a gate of this wave', () => {
    const strategy = careful(strategyWith('', '{ name: low, risk: low }, { name: rest, approval: { required: 2 } }'));
    expect(strategy.gates).toMatchObject([{ name: 'approval', waves: ['rest'], spec: { required: 2 } }]);
  });

  it('are put in the place of a Gate document’s uses, with its parameters', () => {
    const strategy = careful(strategyWith('{ gate: sign-off, waves: [rest], parameters: { people: 3 } }'));
    expect(strategy.gateReferences).toEqual([]);
    expect(strategy.gates).toMatchObject([
      { name: 'sign-off', kind: 'approval', waves: ['rest'], spec: { required: 3, expires: 7_200_000 } },
    ]);
  });

  it.each([
    ['a Gate document that is not there', '{ gate: sign-of }', 'there is no gate "sign-of"; did you mean "sign-off"?'],
    ['a parameter that is missing', '{ gate: sign-off }', 'parameter people of gate sign-off is missing'],
    [
      'a parameter that there is not',
      '{ gate: sign-off, parameters: { people: 1, expire: 1h } }',
      'gate sign-off has no such parameter; did you mean "expires"?',
    ],
    [
      'a parameter that does not fit',
      '{ gate: sign-off, parameters: { people: many } }',
      'with these parameters template.approval.required of gate sign-off',
    ],
    ['a wave that is not there', '{ name: g, waves: [lwo], approval: {} }', 'did you mean "low"?'],
    [
      'two gates of one name',
      '{ name: g, approval: {} }, { gate: sign-off, name: g, parameters: { people: 1 } }',
      'is the name of another gate',
    ],
  ])('refuse %s', (_what, gates, message) => {
    expect(errorsIn(strategyWith(gates))).toContain(message);
  });

  it('refuse a template with a placeholder that is no parameter, and a parameter without a use', () => {
    const template = document(
      'Gate',
      'sign-off',
      '{ parameters: [ { name: unused, default: 1 } ], template: { approval: { required: "${people}" } } }',
    );
    const text = errorsIn({ ...VALID, 'gate.yaml': template });
    expect(text).toContain('uses ${people}, and there is no such parameter');
    expect(text).toContain('parameter unused is not used by the template');
  });
});
