import type { GateQuestion } from '@breakwater/domain';

/** What whoever answers a gate later proves with it that they were asked. */
export interface GateTokens {
  /** The same question has the same token, whichever program asks. */
  issue(question: GateQuestion): string;
  /** Null: no token of this installation. */
  read(token: string): GateQuestion | null;
}

export interface GateCallbacks {
  /** Of the route that takes answers, as the servers that are asked reach it. */
  readonly url: string;
  readonly tokens: GateTokens;
}
