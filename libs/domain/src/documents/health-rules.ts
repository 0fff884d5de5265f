import type { DocumentError } from './document-error.ts';
import type { LocatedDocument } from './read-documents.ts';
import { errorAt } from './read-documents.ts';

/** Every plan carries all of them. */
const MOST = 100;

/** Health rules among each other, in the order of their places: one for each group and kind, and not too many. */
export const checkHealthRules = (documents: readonly LocatedDocument[]): readonly DocumentError[] => {
  const first = new Map<string, LocatedDocument>();
  const errors: DocumentError[] = [];
  for (const document of documents) {
    const { resource } = document;
    if (resource.kind !== 'HealthRule') continue;
    const about = `${resource.rule.group}/${resource.rule.kind}`;
    const before = first.get(about);
    if (before !== undefined) {
      errors.push(
        errorAt(document, ['spec', 'kind'], {
          reason: 'DuplicateName',
          message: `${about} has a health rule already, ${before.name} in ${before.file}:${before.line}`,
          remedy: 'keep one of them',
        }),
      );
      continue;
    }
    first.set(about, document);
    if (first.size === MOST + 1)
      errors.push(
        errorAt(document, ['spec', 'kind'], {
          reason: 'TooLarge',
          message: `is the kind of the ${MOST + 1}st health rule`,
          remedy: `keep at most ${MOST}: kinds that set conditions as Kubernetes advises need none`,
        }),
      );
  }
  return errors;
};
