import type { WireReport } from '../wire/rollout-shapes.ts';
import { escaped } from './markdown-text.ts';
import { reportMarkdown } from './report-markdown.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();
const revision = { commit: 'c0ffee', digest: 'sha256:aa' };
const counts = { total: 2, succeeded: 0, failed: 1, unreachable: 0, skipped: 1, inFlight: 0, rolledBack: 1 };
const skipped = {
  cluster: 'us-1',
  region: 'us',
  wave: 'canary',
  state: 'Skipped' as const,
  reason: 'SkippedByPerson',
  message: 'see <script>alert(1)</script> | [here](http://evil.example)\n# Heading',
  revision,
  skippedBy: 'mara',
  previousRevision: null,
  preflight: null,
  startedAt: null,
  finishedAt: null,
};
const event = {
  actor: 'breakwater',
  rollout: 'r-1',
  application: 'shop',
  repository: null,
  hash: '',
};
const report: WireReport = {
  rollout: {
    id: 'r-1',
    kind: 'Release',
    application: 'shop',
    fleet: 'all',
    revision,
    state: 'RolledBack',
    reason: 'RolledBack',
    message: '1 cluster restored',
    paused: null,
    rollback: { scope: 'rollout', automatic: true, by: 'breakwater', reason: 'over the budget', startedAt: at(4) },
    waves: [
      {
        name: 'canary',
        state: 'RolledBack',
        startedAt: at(0),
        finishedAt: at(9),
        approvals: [{ by: 'sre', reason: 'looks good', at: at(1) }],
        counts,
      },
    ],
    windowOverrides: [],
    overrides: [{ wave: 'canary', gate: 'errors', cluster: null, by: 'mara', reason: 'incident 4711', at: at(2) }],
    waiting: [],
    createdBy: 'mara',
    createdAt: at(0),
    startedAt: at(0),
    finishedAt: at(9),
  },
  headline: 'RolledBack: 1 cluster restored; not at the revision: eu-1, us-1',
  startReason: 'friday',
  plan: {
    strategy: 'careful',
    waves: [{ name: 'canary', size: 2, maxConcurrent: 1, failureBudget: 0, soakSeconds: 30, gates: ['errors'] }],
  },
  runbook: null,
  durationSeconds: 9,
  figures: { touched: 1, secondsToHalt: 4, secondsToRestore: 5 },
  rollback: { scope: 'rollout', automatic: true, by: 'breakwater', reason: 'over the budget', startedAt: at(4) },
  gates: [
    {
      wave: 'canary',
      gate: 'errors',
      kind: 'prometheus',
      phase: 'after',
      cluster: null,
      state: 'Overridden',
      evidence: '12 % errors',
      tally: { successes: 1, failures: 2, inconclusive: 0, errors: 0 },
    },
  ],
  notAtRevision: [skipped],
  targets: [skipped, skipped],
  events: [
    {
      ...event,
      sequence: 1,
      at: at(3),
      type: 'target.state-changed',
      reason: 'Failed',
      message: 'not ready',
      cluster: 'eu-1',
      data: { to: 'Failed', wave: 'canary', evidence: 'CrashLoopBackOff' },
    },
  ],
  notes: ['the first 10000 events; the rest is in the audit trail'],
};

describe('a report as Markdown', () => {
  it('tells the whole story, and what was overridden before anything else', () => {
    expect(reportMarkdown(report)).toBe(`# Rollout r-1 of shop

RolledBack: 1 cluster restored; not at the revision: eu-1, us-1

## Broken glass

- **OVERRIDDEN** gate errors of wave canary by mara at 2026-01-02 03:04:02: incident 4711

## Facts

| fact | value |
| --- | --- |
| application | shop, fleet all |
| revision | c0ffee (sha256:aa) |
| started by | mara: friday |
| strategy | careful |
| created, started, finished (UTC) | 2026-01-02 03:04:00, 2026-01-02 03:04:00, 2026-01-02 03:04:09 |
| duration | 9 s |
| clusters touched | 1 of 2 |
| time to halt | 4 s |
| time to restore | 5 s |

## Waves

| wave | state | clusters | verified | failed | unreachable | skipped | returned | at once | failure budget | soak | gates | started | finished |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| canary | RolledBack | 2 | 0 | 1 | 0 | 1 | 1 | 1 | 0 | 30 s | errors | 2026-01-02 03:04:00 | 2026-01-02 03:04:09 |

## Rollback

- automatic at 2026-01-02 03:04:04, scope rollout: over the budget

## Approvals

- wave canary: sre at 2026-01-02 03:04:01: looks good

## Gates

| wave | gate | kind | when | cluster | state | good | bad | inconclusive | errors | evidence |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| canary | errors | prometheus | after |  | Overridden | 1 | 2 | 0 | 0 | 12 % errors |

## Clusters that are not at the revision

| cluster | wave | state | reason | message | left out by |
| --- | --- | --- | --- | --- | --- |
| us-1 | canary | Skipped | SkippedByPerson | see \\<script\\>alert(1)\\</script\\> \\| \\[here\\](http:\\/\\/evil.example) \\# Heading | mara |

## Timeline

| time (UTC) | what | where | by | reason | message | evidence |
| --- | --- | --- | --- | --- | --- | --- |
| 2026-01-02 03:04:03 | target.state-changed → Failed | eu-1 | breakwater | Failed | not ready | CrashLoopBackOff |

## Left out

- the first 10000 events; the rest is in the audit trail
`);
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '\\<img src=x onerror=alert(1)\\>'],
    ['![x](y) `code` **bold** _it_ ~no~', '\\!\\[x\\](y) \\`code\\` \\*\\*bold\\*\\* \\_it\\_ \\~no\\~'],
    ['a\r\n\n# b\u2028c\u202ed\u0007', 'a \\# b c d'],
    ['&lt; \\| $x$', '\\&lt; \\\\\\| \\$x\\$'],
    ['https://evil.example www.evil.example', 'https:\\/\\/evil.example www\\.evil.example'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['--- ', '\\---'],
  ])('shows %j and does nothing else', (text, shown) => {
    expect(escaped(text)).toBe(shown);
  });
});
