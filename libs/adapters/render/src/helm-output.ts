import { canonicalJson } from '@breakwater/domain';
import type { FoundDocument } from './manifest-documents.ts';
import { readManifest } from './manifest-documents.ts';
import { fail } from './render-failure.ts';
import type { Limits } from './render-limits.ts';

/** What two runs of Helm printed, compared. Test hooks are dropped; other hooks are refused. */
export const readHelmOutput = (
  output: { readonly shownAs: string; readonly first: string; readonly again: string },
  limits: Limits,
): { documents: FoundDocument[]; warnings: string[] } => {
  const { shownAs } = output;
  const read = (text: string): FoundDocument[] =>
    readManifest(text, shownAs, limits).map((found) => ({
      ...found,
      file: templateOf(found.comment, shownAs),
      line: undefined,
    }));
  const first = read(output.first);
  if (output.again !== output.first) compareRenderings(first, read(output.again));
  return dropTests(first);
};

/** `# Source: chart/templates/web.yaml`, as a path in the repository. */
const templateOf = (comment: string, shownAs: string): string => {
  const source = /^\s*Source: [^/\n]+\/(.+)$/m.exec(comment)?.[1];
  return source === undefined ? shownAs : `${shownAs}/${source}`;
};

interface Named {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown; readonly annotations?: Readonly<Record<string, unknown>> } | null;
}

const nameOf = (value: unknown): string => {
  const { kind, metadata } = (value ?? {}) as Named;
  return `${String(kind)}/${String(metadata?.name)}`;
};

const compareRenderings = (first: readonly FoundDocument[], second: readonly FoundDocument[]): void => {
  const count = Math.max(first.length, second.length);
  for (let index = 0; index < count; index++) {
    const [one, two] = [first[index], second[index]];
    if (one !== undefined && two !== undefined && canonicalJson(one.value) === canonicalJson(two.value)) continue;
    const field = firstDifference(one?.value, two?.value, '');
    throw fail(
      'NotDeterministic',
      `two renderings of ${nameOf((one ?? two)?.value)} differ${field === '' ? '' : ` in ${field}`}`,
      'give random and time-dependent values (passwords, certificates, dates) in the values',
      { file: (one ?? two)?.file, object: nameOf((one ?? two)?.value), field },
    );
  }
};

const firstDifference = (one: unknown, two: unknown, path: string): string => {
  const maps = [one, two].every((value) => typeof value === 'object' && value !== null);
  if (!maps || Array.isArray(one) !== Array.isArray(two)) return path;
  const [a, b] = [one as Record<string, unknown>, two as Record<string, unknown>];
  for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
    if (a[key] !== undefined && b[key] !== undefined && canonicalJson(a[key]) === canonicalJson(b[key])) continue;
    return firstDifference(a[key], b[key], path === '' ? key : `${path}.${key}`);
  }
  return path;
};

const dropTests = (documents: readonly FoundDocument[]): { documents: FoundDocument[]; warnings: string[] } => {
  const kept: FoundDocument[] = [];
  const warnings: string[] = [];
  for (const found of documents) {
    const hook = ((found.value ?? {}) as Named).metadata?.annotations?.['helm.sh/hook'];
    if (hook === undefined) kept.push(found);
    else if (
      String(hook)
        .split(',')
        .every((name) => /^\s*test(?:-success|-failure)?\s*$/.test(name))
    ) {
      warnings.push(`${nameOf(found.value)} is a test of the chart and is left out`);
    } else {
      const remedy = 'switch the hook off in the values, or remove the annotation helm.sh/hook';
      throw fail('NotSupportedYet', `${nameOf(found.value)} is a hook of the chart (${String(hook)})`, remedy, {
        file: found.file,
        object: nameOf(found.value),
        field: 'metadata.annotations',
      });
    }
  }
  return { documents: kept, warnings };
};
