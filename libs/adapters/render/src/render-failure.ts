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
