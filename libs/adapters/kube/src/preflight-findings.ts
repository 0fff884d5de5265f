import type { KubeObject, ObjectKey, PreflightFinding } from '@breakwater/domain';
import type { Decision } from './decision.ts';
import type { Ended } from './ended.ts';
import type { Wanted } from './wanted.ts';

export interface PlannedWrite {
  readonly wanted: Wanted;
  readonly live: KubeObject | null;
  readonly decision: Decision;
}

export interface Findings {
  add(finding: PreflightFinding): void;
  addRefusal(refusal: Ended, object: ObjectKey | null): void;
  list(): readonly PreflightFinding[];
}

/** A release may be refused a thousand times for one reason; the record keeps the first ones. */
const MOST = 50;
const LONGEST = 2_000;

export const foundIn = (): Findings => {
  const found: PreflightFinding[] = [];
  const add = ({ message, ...rest }: PreflightFinding): void => {
    if (found.length < MOST) found.push({ ...rest, message: message.slice(0, LONGEST) });
  };
  return {
    add,
    addRefusal: ({ end }, object) => {
      if (end.kind !== 'Refused') return;
      const about = end.object ?? object;
      const named = about === null || end.message.includes(about) ? end.message : `${about}: ${end.message}`;
      add({ reason: end.reason, object: about, message: named });
    },
    list: () => found,
  };
};
