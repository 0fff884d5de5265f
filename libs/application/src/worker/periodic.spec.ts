import { firstOf } from './periodic.ts';

const never = new Promise<void>(() => undefined);
const LONG = 3_600_000;

describe('a wait for the first of several things', () => {
  it('is over when a stop has come before it, comes during it, or anything else happens', async () => {
    await firstOf(LONG, AbortSignal.abort(), [never]);
    const stopping = new AbortController();
    const waiting = firstOf(LONG, stopping.signal, [never]);
    stopping.abort();
    await waiting;
    await firstOf(LONG, new AbortController().signal, [never, Promise.resolve()]);
    await firstOf(1, new AbortController().signal, [never]);
  });
});
