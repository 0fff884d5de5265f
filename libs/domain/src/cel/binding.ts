/** What a variable holds. In `dyn`, `list` and `map` a whole number is an `int`, as in Kubernetes; the others are converted. */
export type VariableType =
  'dyn' | 'bool' | 'int' | 'double' | 'string' | 'list' | 'map' | 'list<double>' | 'list<string>';

/** What is wrong with the value of a variable, in words. */
export class BadBinding extends Error {
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

const DEPTH = 64;
const VALUES = 200_000;

const fail = (message: string): never => {
  throw new BadBinding(message);
};

const tooLarge = (message: string): never => {
  throw new BadBinding(message, true);
};

/**
 * The value as the evaluator wants it: whole numbers are bigints, and objects are Maps, so that no field name of a hostile
 * object (`constructor`, `__proto__`) means anything.
 */
export const celValue = (value: unknown, type: VariableType): unknown => {
  switch (type) {
    case 'dyn':
      return plain(value, 0, { left: VALUES });
    case 'list':
      return Array.isArray(value) ? plain(value, 0, { left: VALUES }) : fail('is not a list');
    case 'map':
      return isMapping(value) ? plain(value, 0, { left: VALUES }) : fail('is not a mapping');
    case 'list<double>':
      return Array.isArray(value) && value.every((entry) => typeof entry === 'number')
        ? [...value]
        : fail('is not a list of numbers');
    case 'list<string>':
      return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
        ? [...value]
        : fail('is not a list of texts');
    case 'int':
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : fail('is not a whole number');
    case 'double':
      return typeof value === 'number' ? value : fail('is not a number');
    case 'bool':
      return typeof value === 'boolean' ? value : fail('is not true or false');
    case 'string':
      return typeof value === 'string' ? value : fail('is not a text');
  }
};

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const plain = (value: unknown, depth: number, budget: { left: number }): unknown => {
  budget.left -= 1;
  if (budget.left < 0) return tooLarge(`holds more than ${VALUES} values`);
  if (depth > DEPTH) return tooLarge(`is nested deeper than ${DEPTH}`);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((entry) => plain(entry, depth + 1, budget));
  if (!isMapping(value)) return fail('holds something that is no JSON');
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return new Map(entries.map(([name, entry]) => [name, plain(entry, depth + 1, budget)]));
};
