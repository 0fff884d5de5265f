import { BadBinding, celValue, type VariableType } from './binding.ts';

const refusal = (value: unknown, type: VariableType): BadBinding => {
  try {
    celValue(value, type);
  } catch (error) {
    if (error instanceof BadBinding) return error;
  }
  throw new Error('it was taken');
};
const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)]);

describe('the value of a variable', () => {
  it.each([
    ['bool', true, true],
    ['bool', false, false],
    ['int', 7, 7n],
    ['double', 7, 7],
    ['double', 0.5, 0.5],
    ['string', 'a', 'a'],
    ['list', [1, 'a', null], [1n, 'a', null]],
    ['map', { a: 1 }, new Map([['a', 1n]])],
    ['list<double>', [1, 0.5], [1, 0.5]],
    ['list<string>', ['a', 'b'], ['a', 'b']],
    ['dyn', null, null],
    ['dyn', undefined, null],
    ['dyn', { a: { b: [true, 1.5, undefined] }, c: undefined }, new Map([['a', new Map([['b', [true, 1.5, null]]])]])],
    ['dyn', JSON.parse('{"__proto__":{"constructor":1}}'), new Map([['__proto__', new Map([['constructor', 1n]])]])],
  ] as const)('of type %s is taken from %j', (type, given, value) => {
    expect(celValue(given, type)).toStrictEqual(value);
  });

  it.each([
    ['bool', 'is not true or false', [0, 'true', null]],
    ['int', 'is not a whole number', ['7', 0.5, 2 ** 53, null, true]],
    ['double', 'is not a number', ['7', null]],
    ['string', 'is not a text', [7, null, ['a']]],
    ['list', 'is not a list', [{ 0: 'a' }, 'a', null]],
    ['map', 'is not a mapping', [[1], 'a', 7, null, undefined]],
    ['list<double>', 'is not a list of numbers', [[1, 'a'], 'a', { 0: 1 }]],
    ['list<string>', 'is not a list of texts', [['a', 1], 'a', { 0: 'a' }]],
    ['dyn', 'holds something that is no JSON', [() => 1, 1n, [Symbol('x')]]],
  ] as const)('of type %s %s', (type, message, values) => {
    for (const value of values) {
      const { message: said, tooLarge } = refusal(value, type);
      expect({ said, tooLarge }).toEqual({ said: message, tooLarge: false });
    }
  });

  it('is bounded in depth and in number of values', () => {
    for (const type of ['dyn', 'list'] as const) {
      expect(() => celValue(nested(64), type)).not.toThrow();
      expect(refusal(nested(65), type)).toMatchObject({ message: 'is nested deeper than 64', tooLarge: true });
    }
    const deep = (depth: number): unknown => (depth === 0 ? 'x' : { a: deep(depth - 1) });
    expect(() => celValue(deep(64), 'map')).not.toThrow();
    expect(refusal(deep(65), 'map').message).toBe('is nested deeper than 64');
    const many = (count: number): readonly number[] => Array<number>(count).fill(1);
    expect(celValue(many(199_999), 'list')).toHaveLength(199_999);
    expect(refusal(many(200_000), 'list')).toMatchObject({ message: 'holds more than 200000 values', tooLarge: true });
  });
});
