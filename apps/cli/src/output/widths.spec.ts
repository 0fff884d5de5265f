import type {
  WireApplication,
  WireCluster,
  WirePlan,
  WireRepository,
  WireRollout,
  WireTarget,
} from '@breakwater/platform';
import { changesText } from './changes-text.ts';
import { explanationText } from './explanation-text.ts';
import {
  applicationTable,
  applicationText,
  clusterTable,
  clusterText,
  planText,
  repositoryText,
} from './fleet-text.ts';
import { rolloutTable, rolloutText } from './rollout-text.ts';
import { paintFor } from './style.ts';

const plain = paintFor(false);
const NOW = Date.parse('2026-01-02T03:04:05Z');
const at = '2026-01-02T03:00:00.000Z';
const CLUSTER = 'production-europe-west-frankfurt-payments-01a';
const APPLICATION = 'checkout-and-payments-frontend-with-a-name-that-goes-on-and-on';
const revision = { commit: 'c0ffee00'.repeat(5), digest: `sha256:${'0'.repeat(64)}` };

const rollout: WireRollout = {
  id: '01234567-89ab-cdef-0123-456789abcdef',
  kind: 'Release',
  application: APPLICATION,
  fleet: 'a-fleet-of-many-clusters',
  revision,
  state: 'RollbackFailed',
  reason: 'RollbackFailed',
  message: `not restored: ${'x'.repeat(130)}`,
  paused: { mode: 'freeze', by: 'somebody.with.a.long.name@example.com', reason: 'looking at it', since: at },
  rollback: null,
  waves: [],
  overrides: [],
  windowOverrides: [],
  waiting: [],
  createdBy: 'somebody.with.a.long.name@example.com',
  createdAt: at,
  startedAt: at,
  finishedAt: null,
};
const target: WireTarget = {
  cluster: CLUSTER,
  region: 'eu-west',
  wave: 'the-wave-that-comes-after-the-canaries',
  state: 'RollbackFailed',
  reason: 'FieldConflict',
  message: 'apps/Deployment/podinfo/web: owned by kubectl',
  revision,
  skippedBy: null,
  previousRevision: revision,
  preflight: null,
  startedAt: at,
  finishedAt: at,
};
const cluster: WireCluster = {
  name: CLUSTER,
  region: 'europe-west-frankfurt-3',
  uid: 'u1',
  version: 'v1.35.3-eks-1234567',
  state: 'Unreachable',
  reason: 'Timeout',
  message: 'no answer within 10 s',
  quarantine: null,
  lastSeen: at,
  facts: { labels: { tier: 'production', team: 'payments', 'example.com/contact': 'payments-on-call@example.com' } },
  applications: [],
};
const application: WireApplication = {
  name: APPLICATION,
  repository: 'fleet-repository-of-the-platform-team',
  commit: revision.commit,
  fleet: 'a-fleet-of-many-clusters',
  strategy: null,
  state: 'Active',
  trigger: 'manual',
  newest: { revision, state: 'Invalid', createdAt: at },
  proven: revision,
  gitAhead: true,
  rollout: { id: rollout.id, state: 'RollbackFailed', paused: true, createdAt: at },
  spec: {},
};
const repository: WireRepository = {
  name: 'fleet-repository-of-the-platform-team',
  url: 'https://git.example.com/platform/engineering/multi-cluster/fleet-repository-of-the-platform-team.git',
  ref: 'release/2026-01',
  state: 'Synced',
  message: '',
  observed: { commit: revision.commit, at },
  good: { commit: revision.commit, at },
  errors: [],
};
const plan: WirePlan = {
  application: APPLICATION,
  fleet: 'a-fleet-of-many-clusters',
  strategy: 'canary-then-everything-else',
  revision,
  waves: [],
  members: [
    {
      cluster: CLUSTER,
      region: 'eu-west',
      wave: 'canary',
      failureDomain: CLUSTER,
      reason: 'label role=canary',
      quarantine: null,
      changes: { create: [], update: [], delete: [], unchanged: 2 },
    },
  ],
  changes: [
    {
      clusters: [CLUSTER, `${CLUSTER}b`, `${CLUSTER}c`],
      create: [`apps/Deployment/${APPLICATION}/${APPLICATION}`],
      delete: [],
      update: [
        {
          object: `apps/Deployment/${APPLICATION}/web`,
          fields: [{ path: 'spec.template.spec.containers[name=main].env', from: 'a'.repeat(80), to: 'b'.repeat(80) }],
          more: 0,
        },
      ],
    },
  ],
};

describe('nothing that is printed for people is wider than 100 columns, and no name is cut', () => {
  it.each<[string, string, string]>([
    ['rollout list', rolloutTable([rollout], plain, NOW), rollout.id],
    ['rollout get', rolloutText(rollout, [target], plain, NOW), CLUSTER],
    ['cluster list', clusterTable([cluster], plain, NOW), CLUSTER],
    ['cluster get', clusterText(cluster, plain, NOW), CLUSTER],
    ['application list', applicationTable([application], plain), APPLICATION],
    ['application get', applicationText(application, plain, NOW), APPLICATION],
    ['repository get', repositoryText(repository, plain, NOW), repository.url],
    ['plan', planText(plan, plain), CLUSTER],
    [
      'rollout explain',
      explanationText(
        {
          subject: `rollout/${rollout.id}`,
          summary: `Progressing: GatePending on ${CLUSTER}: 1 of 3 updated replicas are available, and a word more`,
          blockers: [],
          next: 'next',
          notes: [`${'long '.repeat(19)}words`],
          whatIf: [],
          expectedEnd: null,
        },
        plain,
        NOW,
      ),
      CLUSTER,
    ],
    [
      'changes',
      changesText(
        {
          cluster: `${CLUSTER}-${CLUSTER}`,
          since: at,
          until: at,
          signal: null,
          signals: [],
          changes: [],
          notLookedAt: [],
          notes: [],
        },
        plain,
      ),
      CLUSTER,
    ],
  ])('%s', (_command, text, name) => {
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(text.replaceAll(/\s/g, '')).toContain(name.slice(0, 8));
    const letters = (of: string) => of.replaceAll(/[^a-z]/g, '').length;
    expect(letters(text)).toBeGreaterThanOrEqual(letters(name));
  });

  it('paints a head that was wrapped', () => {
    const text = repositoryText(repository, paintFor(true), NOW);
    expect(text).toContain(`\u001b[1m${repository.name}\u001b[0m  \u001b[32mSynced\u001b[0m`);
  });
});
