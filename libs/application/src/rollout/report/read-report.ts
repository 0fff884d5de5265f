import type { Rollout } from '@breakwater/domain';
import type { RecordPort, StoredAuditEvent } from '../../ports/record.port.ts';
import { readAll } from '../read-all.ts';
import { reportOf, type RolloutReport } from './report-model.ts';

const EVENTS = 10_000;
const PAGE = 500;

/** Everything about one rollout in one document, for the file of an incident. */
export const readReport = async (record: RecordPort, rollout: Rollout): Promise<RolloutReport> => {
  const [targets, events] = await Promise.all([
    readAll((page) => record.rollouts.targets(rollout.id, page)),
    eventsOf(record, rollout.id),
  ]);
  return reportOf({ rollout, targets, events: events.slice(0, EVENTS), cut: events.length > EVENTS });
};

/** One more than the report holds, if there are so many. */
const eventsOf = async (record: RecordPort, rollout: string): Promise<readonly StoredAuditEvent[]> => {
  const events: StoredAuditEvent[] = [];
  while (events.length <= EVENTS) {
    const page = await record.audit.after(events.at(-1)?.sequence ?? 0, PAGE, { rollout });
    events.push(...page);
    if (page.length < PAGE) break;
  }
  return events;
};
