import { QUARANTINED, type TargetEvent } from '@breakwater/domain';
import type { Quarantine } from '../ports/record.port.ts';

/** What a quarantine means to a target: left out, by the person who ordered it. */
export const quarantinedBy = ({ by, reason }: Quarantine): TargetEvent => ({
  type: 'LeftOut',
  reason: QUARANTINED,
  person: { by, reason },
});
