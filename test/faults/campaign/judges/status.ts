import { contentOf, describeContent, isMixOf, sameContent } from '../content.ts';
import type { Break, ClusterEnd, Content, Evidence, Judge, RolloutSeen, TargetSeen } from '../evidence.ts';

/** What the record says that a cluster has. */
interface Said {
  readonly by: string;
  /** More than one: each object is of one of them. */
  readonly contents: readonly Content[];
  readonly whole: boolean;
  readonly verified: boolean;
}

const RETURNS: ReadonlySet<string> = new Set(['RollingBack', 'RolledBack', 'RollbackFailed']);

const contentAt = (evidence: Evidence, commit: string | null, cluster: string): Content => {
  const release = commit === null ? undefined : evidence.releases.get(evidence.versions.get(commit) ?? '');
  return release === undefined ? {} : contentOf(release, cluster);
};

const saidBy = (evidence: Evidence, rollout: RolloutSeen, target: TargetSeen): Said => {
  const revision = contentAt(evidence, target.revision, target.cluster);
  const previous = contentAt(evidence, target.previous, target.cluster);
  const by = `${rollout.id} (${rollout.state}): target ${target.state} ${target.reason}`;
  switch (target.state) {
    case 'Succeeded':
      return { by, contents: [revision], whole: true, verified: true };
    case 'RolledBack':
      return { by, contents: [previous], whole: true, verified: true };
    default:
      return { by, contents: [revision, previous], whole: false, verified: false };
  }
};

/** Never begun, it may still be taken back: to what was there before the superseded rollout that had begun. */
const hasTouched = ({ started, state }: TargetSeen): boolean =>
  started ? !['Pending', 'Skipped'].includes(state) : RETURNS.has(state);

/** The newest rollout that has begun on the cluster says it; where it was broken off, what those before it left may be there still. */
const saidOf = (evidence: Evidence, cluster: string): Said | null => {
  const left: Said[] = [];
  for (const rollout of [...evidence.rollouts].reverse()) {
    const target = rollout.targets.find((candidate) => candidate.cluster === cluster);
    if (target === undefined || !hasTouched(target)) continue;
    const said = saidBy(evidence, rollout, target);
    if (said.whole && left.length === 0) return said;
    left.push(said);
    if (said.whole) break;
  }
  const [newest] = left;
  return newest === undefined ? null : { ...newest, contents: left.flatMap(({ contents }) => contents) };
};

const wrongOf = (said: Said, { content, ready }: ClusterEnd): string | null => {
  const [first = {}] = said.contents;
  if (!said.whole) return isMixOf(content, said.contents) ? null : 'has what is of neither revision';
  if (!sameContent(content, first)) return 'is not as the record says';
  return said.verified && ready === false ? 'has a workload that is not ready, and the record says verified' : null;
};

const judgeEnds = (evidence: Evidence, ends: ReadonlyMap<string, ClusterEnd>, when: string): readonly Break[] =>
  [...ends].flatMap(([cluster, end]) => {
    const said = saidOf(evidence, cluster);
    const wrong = said === null ? null : wrongOf(said, end);
    if (said === null || wrong === null) return [];
    const wanted = said.contents.map((content) => `said: ${describeContent(content)}`);
    return [
      { what: `${cluster} ${wrong}, ${when}`, evidence: [said.by, `has:  ${describeContent(end.content)}`, ...wanted] },
    ];
  });

/** The headline counts and names whatever is not at the revision. */
const judgeHeadline = ({ id, state, message, targets, revision }: RolloutSeen): readonly Break[] => {
  const others = targets.filter((target) => target.state !== 'Succeeded');
  const evidence = [message, ...others.map((target) => `${target.cluster} ${target.state} ${target.reason}`)];
  if (targets.some((target) => target.revision !== revision))
    return [{ what: `${id}: a target is of another revision`, evidence }];
  if (state === 'Succeeded' && others.length > 0)
    return [{ what: `${id} says Succeeded, and not all targets are`, evidence }];
  const unnamed = others.filter(({ cluster }) => !new RegExp(`\\b${cluster}\\b`).test(message));
  // What is owed may have been given since: then there are fewer than it says.
  if (state === 'Incomplete' && unnamed.length > 0) {
    return [
      {
        what: `${id} says Incomplete, and does not name ${unnamed.map(({ cluster }) => cluster).join(', ')}`,
        evidence,
      },
    ];
  }
  return [];
};

/**
 * Rules 5 and 6: a target that says Succeeded has exactly the revision's objects, one that says RolledBack exactly the previous one's,
 * every other one no object of a third; read from the clusters, once when everything has settled, and once more after every write that was
 * held back has landed.
 */
export const judgeStatus: Judge = (evidence) => {
  const rollouts = evidence.rollouts.filter(({ id }) => evidence.started.has(id));
  return {
    rule: 'status cannot lie, rollback restores (rules 5, 6)',
    judged: evidence.ends.size + evidence.endsAfterLateWrites.size + rollouts.length,
    broken: [
      ...judgeEnds(evidence, evidence.ends, 'when everything had settled'),
      ...judgeEnds(evidence, evidence.endsAfterLateWrites, 'after late writes had landed'),
      ...rollouts.flatMap(judgeHeadline),
    ],
  };
};
