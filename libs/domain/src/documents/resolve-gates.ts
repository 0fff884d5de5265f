import type { GateDocument, GateReference, Strategy, StrategyGate } from '../fleet/index.ts';
import { suggestion } from './did-you-mean.ts';
import type { FieldPath } from './document-error.ts';
import { fieldText } from './document-error.ts';
import type { Problem } from './draft.ts';
import { explainIssue } from './explain-issue.ts';
import { gateTemplate } from './schema/gate.schema.ts';
import { fillIn, placeholdersIn, strategyGate } from './strategy-gates.ts';

type Report = (path: FieldPath, problem: Problem) => void;

const dangling = (reference: GateReference, names: readonly string[]): Problem => ({
  reason: 'DanglingReference',
  message: `there is no gate ${JSON.stringify(reference.gate)}`,
  remedy: suggestion(reference.gate, names, 'add a Gate document with this name'),
});

const checkParameters = (reference: GateReference, document: GateDocument, report: Report): boolean => {
  const known = Object.keys(document.parameters);
  const unknown = Object.keys(reference.parameters).filter((name) => !known.includes(name));
  for (const name of unknown)
    report([...reference.path, 'parameters', name], {
      reason: 'UnknownField',
      message: `gate ${document.name} has no such parameter`,
      remedy: suggestion(name, known, 'take it out'),
    });
  const missing = known.filter(
    (name) => document.parameters[name] === null && reference.parameters[name] === undefined,
  );
  for (const name of missing)
    report([...reference.path, 'parameters'], {
      reason: 'MissingField',
      message: `parameter ${name} of gate ${document.name} is missing`,
      remedy: 'give it a value here, or a default in the Gate document',
    });
  return unknown.length === 0 && missing.length === 0;
};

const resolveOne = (reference: GateReference, document: GateDocument, report: Report): StrategyGate | null => {
  if (!checkParameters(reference, document, report)) return null;
  const defaults = Object.fromEntries(
    Object.entries(document.parameters).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
  const filled = fillIn(document.template, { ...defaults, ...reference.parameters });
  const phase = reference.phase === null ? {} : { phase: reference.phase };
  const value = { ...(filled as Record<string, never>), ...phase };
  const parsed = gateTemplate().safeParse(value);
  if (parsed.success) return strategyGate(reference.name ?? reference.gate, parsed.data, reference.waves);
  for (const issue of parsed.error.issues)
    for (const { path, message, remedy, reason } of explainIssue(issue, value))
      report(reference.path, {
        reason,
        message: `with these parameters ${fieldText(['template', ...path])} of gate ${document.name} ${message}`,
        remedy,
      });
  return null;
};

/** The strategy with every Gate document that it uses in its place. Reports what does not fit, at the use. */
export const resolveGates = (strategy: Strategy, documents: readonly GateDocument[], report: Report): Strategy => {
  const names = documents.map((document) => document.name);
  const resolved = strategy.gateReferences.flatMap((reference) => {
    const document = documents.find((candidate) => candidate.name === reference.gate);
    if (document === undefined) {
      report([...reference.path, 'gate'], dangling(reference, names));
      return [];
    }
    return resolveOne(reference, document, report) ?? [];
  });
  const gates = [...strategy.gates, ...resolved];
  checkGates(strategy, gates, report);
  return { ...strategy, gates, gateReferences: [] };
};

const checkGates = (strategy: Strategy, gates: readonly StrategyGate[], report: Report): void => {
  const waves = strategy.waves.map((wave) => wave.name);
  for (const gate of gates)
    for (const wave of gate.waves ?? [])
      if (!waves.includes(wave))
        report(['spec', 'gates'], {
          reason: 'DanglingReference',
          message: `gate ${gate.name} names wave ${JSON.stringify(wave)}, and the strategy has none of that name`,
          remedy: suggestion(wave, waves, 'name one of its waves'),
        });
  for (const wave of waves) {
    const names = gates.filter((gate) => gate.waves?.includes(wave) ?? true).map((gate) => gate.name);
    const twice = names.find((name, index) => names.indexOf(name) < index || name === strategy.workloads.name);
    if (twice !== undefined)
      report(['spec', 'gates'], {
        reason: 'DuplicateName',
        message: `wave ${wave} has two gates of the name ${twice}`,
        remedy: 'give each gate its own name',
      });
  }
};

/** A Gate document by itself: parameters that its template does not use, and placeholders without a parameter. */
export const checkGateDocument = (document: GateDocument, report: Report): void => {
  const used = new Set(placeholdersIn(document.template));
  for (const name of used)
    if (!Object.hasOwn(document.parameters, name))
      report(['spec', 'template'], {
        reason: 'DanglingReference',
        message: `uses \${${name}}, and there is no such parameter`,
        remedy: suggestion(name, Object.keys(document.parameters), 'add it to parameters'),
      });
  for (const name of Object.keys(document.parameters))
    if (!used.has(name))
      report(['spec', 'parameters'], {
        reason: 'InvalidValue',
        message: `parameter ${name} is not used by the template`,
        remedy: 'use it, or take it out',
      });
};
