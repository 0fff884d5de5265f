import { errorAt } from '@breakwater/domain';
import type { RenderedApplication } from './render-application.ts';
import type { SyncError } from './sync-error.ts';

/** One object in two applications on one cluster: both would apply it, and take each other's fields away. Both are blocked. */
export const sharedObjects = (rendered: readonly RenderedApplication[]): readonly SyncError[] => {
  const owners = new Map<string, RenderedApplication>();
  const told = new Set<string>();
  const errors: SyncError[] = [];
  for (const one of rendered) {
    for (const [cluster, keys] of one.objects) {
      for (const key of keys) {
        const place = `${cluster}\n${key}`;
        const other = owners.get(place);
        if (other === undefined) {
          owners.set(place, one);
          continue;
        }
        const pair = `${other.application.name}\n${one.application.name}\n${key}`;
        if (told.has(pair)) continue;
        told.add(pair);
        errors.push(clash(one, other, key, cluster), clash(other, one, key, cluster));
      }
    }
  }
  return errors;
};

const clash = (own: RenderedApplication, other: RenderedApplication, key: string, cluster: string): SyncError => ({
  ...errorAt(own.document, ['spec', 'source'], {
    reason: 'DuplicateName',
    message: `${key} is also in application ${other.application.name}, on cluster ${cluster}`,
    remedy: 'take the object out of one of the two applications',
  }),
  reason: 'SharedObject',
});
