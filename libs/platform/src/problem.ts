/** What is wrong, for a person and for a program: becomes problem details (RFC 9457) at the edge. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly remedy: string | null;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    options: {
      readonly remedy?: string;
      readonly members?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.remedy = options.remedy ?? null;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly [member: string]: unknown;
}

/** `RevisionNotFound` → `Revision not found`. */
const titleOf = (code: string): string => {
  const words = code.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Members of a problem cannot take the place of the standard ones. */
export const problemDetails = (problem: Problem): ProblemDetails => ({
  ...problem.members,
  type: `urn:breakwater:problem:${problem.code}`,
  title: titleOf(problem.code),
  status: problem.status,
  detail: problem.message,
  code: problem.code,
  ...(problem.remedy === null ? {} : { remedy: problem.remedy }),
});
