import type { Cutoff, FenceRefusal, Refusal } from '@breakwater/application';
import type { ObjectKey } from '@breakwater/domain';

type Unsettled<T> = T extends { readonly partial: boolean } ? Omit<T, 'partial'> : T;

/** Every way in which a call to a cluster ends early; `partial` is filled in where the call's writes are known. */
export type EarlyEnd = Unsettled<Refusal> | FenceRefusal | Unsettled<Cutoff>;

/** Carries an expected end from the depth of a session to its edge, where it becomes a value again. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly end: EarlyEnd;

  constructor(end: EarlyEnd, cause?: unknown) {
    super(end.kind === 'Fenced' ? `fenced at epoch ${end.fenceEpoch}` : end.message, { cause });
    this.end = end;
  }
}

/** More than what is asked for in one piece: asking for less may still go. */
export class Oversized extends Ended {
  constructor(message: string) {
    super({ kind: 'Unreachable', reason: 'ServerError', message, retryAfterMs: null });
  }
}

export const refused = (reason: Refusal['reason'], message: string, object: ObjectKey | null = null): Ended =>
  new Ended({ kind: 'Refused', reason, message, object });

export const cutOff = (
  reason: Cutoff['reason'],
  message: string,
  options: { readonly retryAfterMs?: number | null; readonly cause?: unknown } = {},
): Ended =>
  new Ended({ kind: 'Unreachable', reason, message, retryAfterMs: options.retryAfterMs ?? null }, options.cause);

/** `epoch` 0: the fence itself is gone, so somebody may have taken everything back. */
export const fenced = (epoch: number): Ended => new Ended({ kind: 'Fenced', fenceEpoch: epoch });

export const isNotServed = (error: unknown): boolean =>
  error instanceof Ended && error.end.kind === 'Refused' && error.end.reason === 'KindNotServed';

/** Runs a call and turns its early end into a value; what is not expected (a lost permit, an abort, a bug) is thrown on. */
export const settle = async <T>(
  partial: () => boolean,
  run: () => Promise<T>,
): Promise<T | Refusal | FenceRefusal | Cutoff> => {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    return error.end.kind === 'Fenced' ? error.end : { ...error.end, partial: partial() };
  }
};

/** For calls that never write: no fence, nothing partial. */
export const settleRead = async <T>(run: () => Promise<T>): Promise<T | Refusal | Cutoff> => {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Ended) || error.end.kind === 'Fenced') throw error;
    return { ...error.end, partial: false };
  }
};
