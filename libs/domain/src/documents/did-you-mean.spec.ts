import { closest, editDistance, suggestion } from './did-you-mean.ts';

describe('how far two words are apart', () => {
  it.each([
    ['', '', 0],
    ['wave', 'wave', 0],
    ['Wave', 'wAVE', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['wave', 'waves', 1],
    ['waves', 'wave', 1],
    ['wave', 'wake', 1],
    // Two neighbours that have changed places are one slip, at the beginning and at the end too.
    ['wave', 'awve', 1],
    ['wave', 'waev', 1],
    ['abc', 'cba', 2],
    ['kitten', 'sitting', 3],
    ['replicas', 'relpicass', 2],
  ])('"%s" and "%s": %d', (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
    expect(editDistance(right, left)).toBe(distance);
    expect(editDistance(left, right, distance)).toBe(distance);
  });

  it('is told as too far as soon as that is certain', () => {
    expect(editDistance('abcdefgh', 'stuvwxyz', 2)).toBe(3);
    expect(editDistance('abcdefgh', 'stuvwxyz', 7)).toBe(8);
    expect(editDistance('abcdefgh', 'stuvwxyz')).toBe(8);
  });
});

describe('the word that was meant', () => {
  it('differs in a third of its letters at most, and in one of a short word', () => {
    expect(closest('soka', ['soak'])).toBe('soak');
    expect(closest('at', ['as', 'bus'])).toBe('as');
    expect(closest('abcdef', ['abcdxy'])).toBe('abcdxy');
    expect(closest('abcde', ['abcxy'])).toBeNull();
    expect(closest('abcdef', ['abcxyz'])).toBeNull();
  });

  it('is the nearest, and the first by name of those that are as near', () => {
    expect(closest('regions', ['region', 'regionss', 'legions', 'regions'])).toBe('regions');
    expect(closest('wavs', ['ways', 'wave', 'wars'])).toBe('wars');
  });

  it('is none where there is no word, or one too long to be one', () => {
    expect(closest('', ['a'])).toBeNull();
    const long = 'x'.repeat(80);
    expect(closest(long, [`${long}y`])).toBe(`${long}y`);
    expect(closest(`${long}x`, [`${long}x`])).toBeNull();
  });

  it('begins with the same letter where very many are known', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `b${String(index).padStart(3, '0')}`);
    expect(closest('a000', many(300))).toBe('b000');
    expect(closest('a000', many(301))).toBeNull();
    expect(closest('b00', many(301))).toBe('b000');
  });
});

describe('what is suggested', () => {
  const words = Array.from({ length: 20 }, (_, index) => `word${String.fromCharCode(116 - index)}`);

  it('is the word that was meant, or the few that there are, or something else', () => {
    expect(suggestion('wrodt', words, 'look it up')).toBe('did you mean "wordt"?');
    expect(suggestion('other', ['b', 'a'], 'look it up')).toBe('known: a, b');
    expect(suggestion('other', words, 'look it up')).toBe(`known: ${[...words].sort().join(', ')}`);
    expect(suggestion('other', [...words, 'z'], 'look it up')).toBe('look it up');
    expect(suggestion('other', [], 'look it up')).toBe('look it up');
  });
});
