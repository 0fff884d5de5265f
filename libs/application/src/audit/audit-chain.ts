import { createHash } from 'node:crypto';
import { canonicalJson } from '@breakwater/domain';
import type { AuditEvent, StoredAuditEvent } from '../ports/record.port.ts';

/** What the first link of the chain stands on. */
export const AUDIT_GENESIS = '0'.repeat(64);

/**
 * One link of the audit trail's hash chain: hex SHA-256 over the hash of the link before it and the canonical JSON of this event, with its
 * sequence and time. Anybody with an export of the trail can compute it again.
 */
export const auditHash = (previous: string, sequence: number, at: number, event: AuditEvent): string =>
  createHash('sha256')
    .update(`${previous}\n${canonicalJson({ sequence, at, event: plainEvent(event) })}`, 'utf8')
    .digest('hex');

/** The sequence of the first link that does not follow from the one before it, or null; `events` from the first on, in order. */
export const firstBrokenLink = (
  events: readonly StoredAuditEvent[],
  before = { sequence: 0, hash: AUDIT_GENESIS },
): number | null => {
  let previous = before;
  for (const event of events) {
    const expected = auditHash(previous.hash, event.sequence, event.at, event);
    if (event.sequence !== previous.sequence + 1 || event.hash !== expected) return event.sequence;
    previous = { sequence: event.sequence, hash: event.hash };
  }
  return null;
};

/** Only the fields of an event, in the form that storage gives back: what JSON drops is dropped before it is hashed. */
export const plainEvent = (event: AuditEvent): AuditEvent => ({
  type: event.type,
  actor: event.actor,
  reason: event.reason,
  message: event.message,
  ...(event.rollout === undefined ? {} : { rollout: event.rollout }),
  ...(event.application === undefined ? {} : { application: event.application }),
  ...(event.cluster === undefined ? {} : { cluster: event.cluster }),
  ...(event.repository === undefined ? {} : { repository: event.repository }),
  ...(event.data === undefined
    ? {}
    : { data: JSON.parse(JSON.stringify(event.data)) as Readonly<Record<string, unknown>> }),
});
