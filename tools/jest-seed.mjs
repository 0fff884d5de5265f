import fc from 'fast-check';

/** `BREAKWATER_SEED` is the seed of every random test; without it each run has its own, which a failure prints. */
const seed = process.env['BREAKWATER_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });
