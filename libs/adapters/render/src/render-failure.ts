import type { RenderError, RenderErrorCode } from '@breakwater/application';

/** Leaves the renderer as a result, never as an exception. */
export class RenderFailure extends Error {
  readonly errors: readonly RenderError[];

  constructor(errors: readonly RenderError[]) {
    super(errors.map(({ message }) => message).join('; '));
    this.name = 'RenderFailure';
    this.errors = errors;
  }
}

export const fail = (
  code: RenderErrorCode,
  message: string,
  remedy: string,
  where: Pick<RenderError, 'file' | 'line' | 'column' | 'object' | 'field'> = {},
): RenderFailure => new RenderFailure([{ code, ...where, message, remedy }]);

/** Runs every piece and throws all their failures together: a person mends ten mistakes at once, not one after the other. */
export const collect = <T, R>(items: readonly T[], run: (item: T) => R): R[] => {
  const errors: RenderError[] = [];
  const results: R[] = [];
  for (const item of items) {
    try {
      results.push(run(item));
    } catch (error) {
      if (!(error instanceof RenderFailure)) throw error;
      errors.push(...error.errors);
    }
  }
  if (errors.length > 0) throw new RenderFailure(errors.slice(0, 100));
  return results;
};

/** A file that is a directory elsewhere in the source, or a name that no file system takes: the source's fault, not this machine's. */
const OF_THE_SOURCE: ReadonlySet<string> = new Set([
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'EILSEQ',
  'ELOOP',
  'ERR_INVALID_ARG_VALUE',
  'ERR_FS_CP_DIR_TO_NON_DIR',
  'ERR_FS_CP_NON_DIR_TO_DIR',
]);

/** What a file system says of a source's own paths below `workDir`, as a failure of that source; null for anything else. */
export const unfitPath = (error: unknown, workDir: string): RenderFailure | null => {
  const { code, path = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === undefined || !OF_THE_SOURCE.has(code)) return null;
  const inside = path.startsWith(`${workDir}/`) ? ` ${JSON.stringify(path.slice(workDir.length + 1))}` : '';
  return fail('InvalidSource', `a path${inside} of the source cannot be used: ${code}`, 'rename it, or remove it');
};
