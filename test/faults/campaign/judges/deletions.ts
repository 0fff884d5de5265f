import { type Break, describeLanding, type Judge } from '../evidence.ts';

const PROTECTED = [
  'persistentvolumeclaims/',
  'customresourcedefinitions.',
  'customresourcedefinitions/',
  'namespaces/',
];

/** Rule 8: nothing of a protected kind is deleted, nor the namespace, and what is nobody's is not even touched. */
export const judgeDeletions: Judge = (evidence) => {
  const deletions = evidence.landings.filter(({ verb }) => verb === 'delete');
  const broken: Break[] = deletions
    .filter(({ object }) => PROTECTED.some((kind) => object.startsWith(kind)))
    .map((landing) => ({
      what: `${landing.cluster}: ${landing.object} was deleted`,
      evidence: [describeLanding(landing)],
    }));
  for (const [cluster, { stranger }] of evidence.endsAfterLateWrites) {
    if (stranger.before === stranger.now) continue;
    broken.push({
      what: `${cluster}: an object that is nobody's was touched`,
      evidence: [`before: ${stranger.before}`, `now: ${stranger.now}`],
    });
  }
  return {
    rule: 'deletion is suspicious (rule 8)',
    judged: deletions.length + evidence.endsAfterLateWrites.size,
    broken,
  };
};
