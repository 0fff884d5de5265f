import { elapsedClock } from './elapsed-clock.ts';

describe('the clock of leases and permits', () => {
  const clock = () => {
    const times = { monotonic: 50, wall: 1_000 };
    return {
      times,
      now: elapsedClock(
        () => times.monotonic,
        () => times.wall,
      ),
    };
  };

  it('goes on in a suspend, where the monotonic clock stands still', () => {
    const { times, now } = clock();
    times.wall += 60_000;
    expect(now()).toBe(60_000);
  });

  it('goes on where the wall clock is set back', () => {
    const { times, now } = clock();
    times.wall -= 3_600_000;
    times.monotonic += 500;
    expect(now()).toBe(500);
  });

  it('never goes back', () => {
    const { times, now } = clock();
    times.wall += 10_000;
    now();
    times.wall -= 10_000;
    expect(now()).toBe(10_000);
  });
});
