/**
 * Held from before a mutating request until its answer is there (or its connection is gone).
 * `send` throws {@link PermitLost} without calling `request` when writes of this kind are not allowed any more.
 * `request` gets `check`, and the adapter calls it right before the bytes leave, after waiting for a connection: it throws
 * {@link PermitLost} when the permit has run out in the meantime, and then nothing is sent.
 */
export interface WritePermit {
  send<T>(request: (check: () => void) => Promise<T>): Promise<T>;
}

/** Writing is no longer allowed: frozen, halted, or the claim on the target passed to another worker. */
export class PermitLost extends Error {
  override readonly name = 'PermitLost';
}
