export type EmbeddedPostgresProblem =
  'NoBinaries' | 'NoUser' | 'DataUnreachable' | 'OtherMajor' | 'InUse' | 'NotOurs' | 'StartFailed' | 'StopFailed';

/** Why the embedded server cannot be used, and what to do about it. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresProblem;

  constructor(code: EmbeddedPostgresProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
