import type { RecordPort } from '@breakwater/application';

export interface RecordUnderTest {
  readonly record: RecordPort;
  /** Lets the record's clock move on by so many ms: at once where the clock is injected, in real time where it is a database's. */
  readonly pass: (ms: number) => Promise<void>;
  /** Changes a sealed audit event behind the record's back. */
  readonly tamper: (sequence: number, message: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}
