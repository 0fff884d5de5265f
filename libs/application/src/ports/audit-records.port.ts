import type { Instant } from '@breakwater/domain';

/** What happened, who did it, why. Never holds a secret. */
export interface AuditEvent {
  /** `rollout.state-changed`, `target.state-changed`, `repository.synced` … */
  readonly type: string;
  readonly actor: string;
  readonly reason: string;
  readonly message: string;
  readonly rollout?: string;
  readonly application?: string;
  readonly cluster?: string;
  readonly repository?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface StoredAuditEvent extends AuditEvent {
  /** Given by the sealer after commit: the order of the stream is the order of the hash chain. */
  readonly sequence: number;
  readonly at: Instant;
  readonly hash: string;
}

export interface AuditRecords {
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Gives sequence and hash to committed events; one sealer at a time, any process may be it. Returns how many. */
  seal(limit: number): Promise<number>;
  after(
    sequence: number,
    limit: number,
    filter?: {
      readonly rollout?: string;
      /** Null: those that are about no single cluster. */
      readonly cluster?: string | null;
      readonly actor?: string;
      readonly since?: Instant;
    },
  ): Promise<readonly StoredAuditEvent[]>;
  last(): Promise<number>;
  /** Recomputes the chain; the sequence of the first broken link, or null. */
  verify(): Promise<number | null>;
}

export type Role = 'admin' | 'operator' | 'viewer';
export interface AccessRecords {
  /** Only a SHA-256 of the token is stored. */
  addToken(token: { readonly name: string; readonly hash: string; readonly role: Role }): Promise<void>;
  findToken(hash: string): Promise<{ readonly name: string; readonly role: Role } | null>;
  hasTokens(): Promise<boolean>;
  putCredential(name: string, sealed: Uint8Array): Promise<void>;
  credential(name: string): Promise<{ readonly sealed: Uint8Array; readonly version: string } | null>;
  setting(key: string): Promise<unknown>;
  /** `events` are of the same transaction. */
  setSetting(key: string, value: unknown, events?: readonly AuditEvent[]): Promise<void>;
}
