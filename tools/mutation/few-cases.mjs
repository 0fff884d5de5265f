/** What specs see as `fast-check` while mutants are tested: a tenth of the cases that they ask for, and ten at most. */
import fc from 'fast-check';

const few = (cases = 100) => Math.ceil(Math.min(cases, 100) / 10);

export * from 'fast-check';

export const assert = (property, parameters) =>
  fc.assert(property, { ...parameters, numRuns: few(parameters?.numRuns) });

export default { ...fc, assert };
