import { readOptions, replayCommand } from './options.ts';

const read = (...args: string[]) => readOptions(args, () => 42);

describe('the options of the fault campaign', () => {
  it('have defaults, and a seed that somebody draws', () => {
    expect(read()).toEqual({ minutes: 10, seed: 42, real: 3, simulated: 12, keep: false });
  });

  it('take what is given', () => {
    expect(read('--minutes', '0.5', '--seed', '7', '--real', '0', '--simulated', '8', '--keep')).toEqual({
      minutes: 0.5,
      seed: 7,
      real: 0,
      simulated: 8,
      keep: true,
    });
  });

  it('are null where only help is wanted', () => expect(read('--help')).toBeNull());

  it.each([
    [['--minutes', 'ten'], '--minutes: ten is not a number above 0'],
    [['--minutes', '0'], '--minutes: 0 is not a number above 0'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '1.5'], '--seed: 1.5 is not a whole number'],
    [['--real', '1000'], '--real: 1000 is not a whole number from 0 to 100'],
    [['--real', '1', '--simulated', '2'], 'fewer than 6 clusters'],
    [['--nonsense'], '--nonsense'],
    [['now'], 'now'],
  ])('refuse %j and say why', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });

  it('come back in the command that replays them', () => {
    expect(replayCommand({ minutes: 30, seed: 9, real: 3, simulated: 12, keep: true })).toBe(
      'npm run faults -- --seed 9 --minutes 30 --real 3 --simulated 12',
    );
  });
});
