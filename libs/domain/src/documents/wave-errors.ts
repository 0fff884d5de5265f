import type { FleetSnapshot } from '../fleet/index.ts';
import { destinationContext } from '../fleet/index.ts';
import { checkWaves, type PlanError } from '../planner/index.ts';
import type { DocumentError } from './document-error.ts';
import type { LocatedDocument } from './read-documents.ts';
import { errorAt } from './read-documents.ts';

/**
 * What no plan could be made from: each is where the strategy says it, and blocks the application that would be planned so. Many
 * applications share a strategy and a fleet, which are looked at once.
 */
export const waveErrors = (
  documents: readonly LocatedDocument[],
  snapshot: FleetSnapshot,
): readonly DocumentError[] => {
  const looked = new Map<string, readonly PlanError[]>();
  const strategies = new Map(documents.flatMap((one) => (one.kind === 'Strategy' ? [[one.name, one]] : [])));
  return snapshot.applications.flatMap(({ name, fleet, strategy: own }) => {
    const strategy = own ?? snapshot.fleets.find((candidate) => candidate.name === fleet)?.strategy ?? '';
    const document = strategies.get(strategy);
    if (document === undefined || document.resource.kind !== 'Strategy') return [];
    const { waves } = document.resource;
    const pair = `${strategy}\n${fleet}`;
    const errors = looked.get(pair) ?? errorsOf(snapshot, fleet, strategy);
    looked.set(pair, errors);
    return errors.map(({ reason, wave, message, remedy }) => {
      const index = waves.findIndex((candidate) => candidate.name === wave);
      const path = index < 0 ? ['spec', 'waves'] : ['spec', 'waves', index];
      const problem = { reason, message: `${message} (fleet ${fleet}, application ${name})`, remedy };
      return { ...errorAt(document, path, problem), blocks: `application/${name}` as const };
    });
  });
};

const errorsOf = (snapshot: FleetSnapshot, fleet: string, strategy: string): readonly PlanError[] => {
  const context = destinationContext(snapshot, { fleet, strategy });
  return context === null ? [] : checkWaves(context);
};
