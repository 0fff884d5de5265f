import { compileOnce } from './compile-once.ts';

const number = { variables: { result: 'double' }, result: 'number' } as const;
const bool = { variables: { result: 'double' }, result: 'bool' } as const;

const answerOf = (compiled: ReturnType<typeof compileOnce>, result: number): unknown => {
  if (!compiled.ok) return compiled.error.message;
  const evaluated = compiled.expression.evaluate({ result });
  return evaluated.ok ? evaluated.value : evaluated.error.message;
};

describe('an expression that is asked for again', () => {
  it('is the one that was compiled before, and answers for each of its bindings', () => {
    const first = compileOnce('result < 2.0', bool);
    expect(compileOnce('result < 2.0', bool)).toBe(first);
    expect([answerOf(first, 1), answerOf(first, 3), answerOf(first, 1)]).toEqual([true, false, true]);
  });

  it('is another one where it has other variables, or has to give something else', () => {
    expect(answerOf(compileOnce('result + 1.0', number), 2)).toBe(3);
    expect(answerOf(compileOnce('result + 1.0', bool), 2)).toContain('not true or false');
    expect(compileOnce('result < 2.0', { variables: {}, result: 'bool' }).ok).toBe(false);
  });

  it('is forgotten when many others were asked for since', () => {
    const first = compileOnce('result < 3.0', bool);
    for (let n = 0; n < 499; n += 1) compileOnce(`result < ${n}.5`, bool);
    expect(compileOnce('result < 3.0', bool)).toBe(first);
    for (let n = 500; n < 1_000; n += 1) compileOnce(`result < ${n}.5`, bool);
    expect(compileOnce('result < 3.0', bool)).not.toBe(first);
  });
});
