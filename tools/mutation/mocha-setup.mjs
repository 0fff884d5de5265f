/**
 * Lets Mocha run the specs that are written for Jest, with Jest's own `expect` and `each`. Mocha keeps everything loaded and runs the tests
 * again for each mutant, in milliseconds.
 */
import { expect } from 'expect';
import fc from 'fast-check';
import { bind } from 'jest-each';
import Mocha from 'mocha';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const LIBRARY = /^@breakwater\/(domain|application|testing)$/;
const FEW_CASES = pathToFileURL(join(import.meta.dirname, 'few-cases.mjs')).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'fast-check' && context.parentURL !== FEW_CASES) return { url: FEW_CASES, shortCircuit: true };
    const library = LIBRARY.exec(specifier)?.[1];
    if (library === undefined) return next(specifier, context);
    return { url: pathToFileURL(join(root, 'libs', library, 'src/index.ts')).href, shortCircuit: true };
  },
});

// The same cases for each mutant, and no time spent on making a failure small.
fc.configureGlobal({ seed: 1, endOnFailure: true });

globalThis.expect = expect;

const { bdd } = Mocha.interfaces;
Mocha.interfaces.bdd = (suite) => {
  bdd(suite);
  suite.on('pre-require', (words) => {
    const { it } = words;
    // A test that asks for more time than others would be run for every mutant that survives.
    words.it = Object.assign((title, run, limit) => (limit === undefined ? it(title, run) : it.skip(title)), it);
    words.test = words.it;
    words.beforeAll = words.before;
    words.afterAll = words.after;
    words.it.each = bind(words.it, false);
    words.describe.each = bind(words.describe, false);
  });
};
