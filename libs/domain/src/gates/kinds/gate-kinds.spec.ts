import type { Rollout } from '../../rollout/rollout.ts';
import { gateKind, GATE_KINDS } from '../gate-kinds.ts';
import { plannedGate } from '../planned-gate.ts';
import { approvalGate, standing } from './approval.ts';
import { celGate, celName, celVariables } from './cel.ts';
import { alertsGate } from './alerts.ts';
import { comparisonGate } from './comparison.ts';
import { bodyMatches, httpGate } from './http.ts';
import { jobGate } from './job.ts';
import { prometheusGate } from './prometheus.ts';
import { webhookGate, webhookMeasurement } from './webhook.ts';

const told = (kind: typeof celGate, spec: object): string =>
  (kind.schema().safeParse(spec).error?.issues ?? [])
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join(' | ');
const read = (kind: typeof celGate, spec: object): object => kind.schema().parse(spec) as object;
/** What is taken, and what is refused with these words; of each only the changed part. */
const takes = (kind: typeof celGate, spec: object, parts: readonly object[]): void => {
  for (const part of parts) expect([part, told(kind, { ...spec, ...part })]).toEqual([part, '']);
};
const refuses = (kind: typeof celGate, spec: object, parts: readonly object[], words: string): void => {
  for (const part of parts)
    expect([part, told(kind, { ...spec, ...part })]).toEqual([part, expect.stringContaining(words)]);
};
const long = (length: number): string => 'a'.repeat(length);

describe('the kinds of gates', () => {
  it('are found by name, each with its first phase as the default', () => {
    expect(GATE_KINDS.map(({ kind, phases }) => [kind, phases[0]])).toEqual([
      ['alerts', 'after'],
      ['approval', 'before'],
      ['cel', 'during'],
      ['comparison', 'after'],
      ['http', 'during'],
      ['job', 'during'],
      ['prometheus', 'after'],
      ['webhook', 'before'],
    ]);
    expect(gateKind('http')).toBe(httpGate);
    expect(gateKind('workloads')).toBeNull();
  });

  it.each([
    ['alerts', { interval: 15_000, inconclusiveLimit: 3 }],
    ['approval', { interval: 0, count: 1 }],
    ['cel', { interval: 10_000, inconclusiveLimit: 12, count: 1 }],
    ['comparison', { interval: 60_000, count: 10, inconclusiveLimit: 10 }],
    ['http', { interval: 10_000, inconclusiveLimit: 0, count: 1 }],
    ['job', { interval: 5_000, count: 1 }],
    ['prometheus', { interval: 30_000, inconclusiveLimit: 3 }],
    ['webhook', { interval: 30_000, count: 1, timeout: 3_600_000 }],
  ])('are careful by default: %s', (kind, policy) => {
    const planned = plannedGate('g', kind, {}, {});
    expect(planned.policy).toMatchObject({
      failureLimit: 0,
      consecutiveErrorLimit: 4,
      onInconclusive: 'wait',
      ...policy,
    });
  });

  it('are planned as the document says, then as their kind does, then as all do', () => {
    const fields = {
      phase: 'during',
      initialDelay: 1,
      interval: 2,
      count: 3,
      failureLimit: 4,
      inconclusiveLimit: 5,
      consecutiveErrorLimit: 6,
      timeout: 7,
      onInconclusive: 'pass',
    } as const;
    const { phase, ...policy } = fields;
    expect(plannedGate('g', 'prometheus', fields, { a: 1 })).toEqual({
      name: 'g',
      kind: 'prometheus',
      phase,
      policy,
      spec: { a: 1 },
    });
    expect(plannedGate('g', 'prometheus', {}, {}).policy).toMatchObject({
      initialDelay: 0,
      count: null,
      timeout: null,
    });
    expect(plannedGate('g', 'prometheus', { phase: 'before' }, {}).policy.count).toBe(1);
    expect(plannedGate('g', 'comparison', { phase: 'during' }, {}).policy.count).toBe(10);
    expect(() => plannedGate('g', 'nosuch', {}, {})).toThrow('there is no gate kind nosuch');
  });
});

describe('an approval', () => {
  const yes = (by: string, at: number) => ({ by, reason: '', at });
  const judged = (spec: object, approvals: readonly ReturnType<typeof yes>[]) =>
    approvalGate.judge!(spec as never, {
      rollout: { createdBy: 'mara' } as Rollout,
      wave: { approvals } as never,
      now: 100,
    });

  it('counts each person once, until it expires, and with four eyes not the starter', () => {
    const all = [yes('jo', 10), yes('mara', 50), yes('jo', 60), yes('kim', 40)];
    expect(standing({ fourEyes: true, expires: 50 }, all, 'mara', 90).map(({ by, at }) => [by, at])).toEqual([
      ['jo', 60],
    ]);
    expect(standing({ fourEyes: true, expires: 51 }, all, 'mara', 90).map(({ by }) => by)).toEqual(['jo', 'kim']);
    expect(standing({ fourEyes: false }, all, 'mara', 9_000).map(({ by }) => by)).toEqual(['jo', 'mara', 'kim']);
  });

  it('is judged by how many there are, with their names', () => {
    expect(judged({ required: 2, fourEyes: false }, [])).toEqual({
      verdict: 'Pending',
      evidence: '0 of 2 approvals',
      retryAfter: 60_000,
    });
    expect(judged({ required: 2, fourEyes: false }, [yes('jo', 5), yes('kim', 6)])).toEqual({
      verdict: 'Success',
      evidence: '2 of 2 approvals (jo, kim)',
    });
  });

  it('wants one to twenty people', () => {
    expect(read(approvalGate, {})).toEqual({ required: 1, fourEyes: true });
    takes(approvalGate, {}, [{ required: 1 }, { required: 20 }, { expires: '2h' }]);
    refuses(approvalGate, {}, [{ required: 0 }, { required: 21 }, { required: 1.5 }], 'required: ');
  });
});

describe('the address of a server', () => {
  const spec = { query: 'up', success: 'true' };
  const address = (given: string) => ({ address: given });

  it('is http or https, with a path at most', () => {
    takes(
      prometheusGate,
      spec,
      ['http://a', 'https://a.example.com:9090', 'https://a/b/c', 'https://{cluster}.a/'].map(address),
    );
    refuses(
      prometheusGate,
      spec,
      [
        'ftp://a',
        'x https://a',
        'https://',
        'https:// a',
        'https://a b',
        'https://a/ b',
        'https://u@a',
        'https://a?x',
        'https://a/b#c',
        'https://a/b?c',
      ].map(address),
      'is not an address',
    );
    refuses(prometheusGate, spec, [address(`https://${long(2041)}`)], 'address: ');
    takes(prometheusGate, spec, [address(`https://${long(2040)}`)]);
  });

  it('comes with a query and a condition', () => {
    const base = address('https://a');
    takes(prometheusGate, base, [
      { query: 'up', success: 'result < 1.0' },
      { query: 'up', failure: 'results.size() > 1' },
      { query: long(8192), success: 'true', failure: 'false' },
    ]);
    refuses(
      prometheusGate,
      base,
      [
        { query: '', success: 'true' },
        { query: long(8193), success: 'true' },
      ],
      'query: ',
    );
    refuses(prometheusGate, base, [{ query: 'up' }], 'has no condition');
    expect(read(prometheusGate, { ...base, ...spec })).toMatchObject({ timeout: 10_000 });
  });
});

describe('matchers of alerts', () => {
  const matchers = (...given: string[]) => ({ address: 'https://a', matchers: given });

  it('are labels and what they are, or are not', () => {
    takes(alertsGate, {}, [
      matchers('a=b'),
      matchers('_a1 != b c'),
      matchers('A9_=~ x.*'),
      matchers('a!~y'),
      matchers(`a=${long(1001)}`),
    ]);
    refuses(
      alertsGate,
      {},
      [
        matchers('1a=b'),
        matchers('a-b=c'),
        matchers('a'),
        matchers('a= '),
        matchers(' a=b'),
        matchers('a<b'),
        matchers(`a=${long(1002)}`),
      ],
      'is not a matcher',
    );
    refuses(alertsGate, {}, [matchers(), matchers(...Array<string>(21).fill('a=b'))], 'matchers: ');
    takes(alertsGate, {}, [matchers(...Array<string>(20).fill('a=b'))]);
  });
});

describe('a comparison in Git', () => {
  const spec = { address: 'https://a', query: 'errors' };

  it('takes windows and pasts that fit each other, up to their bounds', () => {
    takes(comparisonGate, spec, [
      { window: '10m', past: '8h' },
      { window: '10m', past: '30m' },
      { step: '1m' },
      { step: '1s', window: '1000s', past: '2h' },
      { clusterLabel: '_c9' },
      { minSamples: 40 },
      { query: long(8192) },
    ]);
    refuses(
      comparisonGate,
      spec,
      [
        { window: '10m', past: '481m' },
        { window: '10m', past: '29m' },
      ],
      'past: does not fit',
    );
    refuses(
      comparisonGate,
      spec,
      [{ step: '61s' }, { step: '1s', window: '1001s', past: '2h' }, { minSamples: 41 }],
      'step: does not fit',
    );
    refuses(
      comparisonGate,
      spec,
      [{ clusterLabel: '9c' }, { clusterLabel: 'a-b' }, { clusterLabel: 'a ' }, { clusterLabel: ' a' }],
      'is not a label',
    );
    takes(comparisonGate, spec, [
      { direction: 'lower-is-worse', without: 'inconclusive', negligible: 5 },
      { tolerance: 1.05, falseAlarms: 0.000_001 },
      { tolerance: 100, falseAlarms: 0.1 },
    ]);
    refuses(comparisonGate, spec, [{ tolerance: 101 }], 'tolerance: ');
    refuses(comparisonGate, spec, [{ negligible: -1 }], 'negligible: ');
    refuses(comparisonGate, spec, [{ query: 'a{cluster}' }, { query: 'a{region}b' }], 'asks for one cluster');
    refuses(comparisonGate, spec, [{ query: '' }, { query: long(8193) }], 'query: ');
    refuses(comparisonGate, spec, [{ minSamples: 1 }], 'minSamples: ');
  });
});

describe('an http gate in Git', () => {
  const url = { url: 'https://{cluster}.example.com/healthz' };
  const service = { service: { name: 'web', port: 80 } };

  it('asks an address or a service, one of them', () => {
    takes(httpGate, {}, [url, service, { url: 'http://a?' }].slice(0, 2));
    for (const spec of [{}, { ...url, ...service }]) expect(told(httpGate, spec)).toMatch(/^: has to ask one thing/);
    takes(httpGate, {}, [{ url: 'http://a' }, { url: 'https://a/b?c=d&e' }]);
    refuses(
      httpGate,
      {},
      [
        'a',
        'x http://a',
        'http://',
        'http://a\\b',
        'http://u@a',
        'http://a/b c',
        'http://a/b#c',
        'http://a/\\',
        'http://a?b',
        'http:// a',
      ].map((given) => ({ url: given })),
      'is not an address',
    );
    refuses(httpGate, {}, [{ url: `https://${long(2041)}` }], 'url: ');
  });

  it('fills in its defaults, with ranges as numbers', () => {
    expect(read(httpGate, url)).toEqual({
      ...url,
      method: 'GET',
      expectStatus: [{ from: 200, to: 299 }],
      timeout: 5_000,
      attempts: { count: 1, maxFailures: 0 },
    });
    expect(read(httpGate, { ...url, expectStatus: [204, '300-399'], maxLatency: '300ms' })).toMatchObject({
      expectStatus: [
        { from: 204, to: 204 },
        { from: 300, to: 399 },
      ],
      maxLatency: 300,
    });
    expect(read(httpGate, { ...url, maxLatency: '2s' })).toMatchObject({ maxLatency: 2_000 });
    takes(httpGate, {}, [{ service: { ...service.service, scheme: 'https' } }]);
    expect(read(httpGate, service)).toMatchObject({ service: { path: '/', scheme: 'http' } });
  });

  it('takes statuses and ranges of them', () => {
    takes(
      httpGate,
      url,
      [[100], [599], ['100-599'], ['204-204']].map((expectStatus) => ({ expectStatus })),
    );
    refuses(
      httpGate,
      url,
      [[99], [600], ['200'], ['20-299'], ['600-700'], ['200-2990'], ['x200-299'], ['200-299x'], [200.5]].map(
        (expectStatus) => ({ expectStatus }),
      ),
      'is not a status',
    );
    refuses(httpGate, url, [{ expectStatus: ['200-299', '300-200'] }], 'expectStatus: has a range that is empty');
    refuses(httpGate, url, [{ expectStatus: [] }, { expectStatus: Array<number>(21).fill(200) }], 'expectStatus: ');
  });

  it('takes latencies, patterns and ports that can be meant', () => {
    takes(
      httpGate,
      url,
      ['1ms', '999999s', '20s'].map((maxLatency) => ({ maxLatency })),
    );
    refuses(
      httpGate,
      url,
      ['0ms', '1m', '1', 'x1s', '1sx', '1000000ms', 's'].map((maxLatency) => ({ maxLatency })),
      'is not a latency',
    );
    takes(httpGate, url, [{ bodyMatches: 'o[kK]$' }]);
    refuses(httpGate, url, [{ bodyMatches: '(' }], 'bodyMatches: is not a pattern');
    refuses(httpGate, url, [{ bodyMatches: '' }, { bodyMatches: long(513) }], 'bodyMatches: ');
    const at = (part: object) => ({ service: { ...service.service, ...part } });
    takes(httpGate, {}, [
      at({ port: 65_535 }),
      at({ port: 'http' }),
      at({ port: 'a' }),
      at({ port: 'a-1' }),
      at({ port: 'a23456789012345' }),
      at({ path: '/a?b' }),
    ]);
    refuses(
      httpGate,
      {},
      [
        at({ port: 0 }),
        at({ port: 65_536 }),
        at({ port: 'A' }),
        at({ port: '-a' }),
        at({ port: 'a-' }),
        at({ port: 'a234567890123456' }),
        at({ port: 'a b' }),
      ],
      'service.port: ',
    );
    refuses(
      httpGate,
      {},
      [at({ path: 'a' }), at({ path: '/a b' }), at({ path: '/a#b' }), at({ path: 'x/' }), at({ path: '/a\\b' })],
      'is not a path',
    );
  });

  it('does not take what cannot be together', () => {
    refuses(httpGate, service, [{ method: 'HEAD' }], 'method: does not go with service');
    refuses(httpGate, service, [{ auth: { secret: 'a' } }], 'auth: does not go with service');
    refuses(httpGate, url, [{ method: 'HEAD', bodyMatches: 'a' }], 'bodyMatches: does not go with HEAD');
    takes(httpGate, url, [{ method: 'HEAD' }, { auth: { secret: 'a' } }]);
    takes(httpGate, url, [
      { attempts: { count: 3, maxFailures: 2 } },
      { timeout: '20s' },
      { timeout: '2s', attempts: { count: 10 } },
    ]);
    refuses(
      httpGate,
      url,
      [{ attempts: { count: 3, maxFailures: 3 } }, { attempts: { maxFailures: 1 } }],
      'attempts.maxFailures: lets everything pass',
    );
    refuses(
      httpGate,
      url,
      [{ timeout: '21s' }, { timeout: '3s', attempts: { count: 7 } }],
      'timeout: is too long for so many attempts',
    );
    refuses(httpGate, url, [{ attempts: { count: 0 } }, { attempts: { count: 51 } }], 'attempts.count: ');
  });

  it('looks for a pattern in a body', () => {
    expect(bodyMatches('it is ok', 'i[st] ok')).toEqual({ ok: true, matches: true });
    expect(bodyMatches('it is not', '^ok')).toEqual({ ok: true, matches: false });
    expect(bodyMatches('a', '(')).toEqual({ ok: false, problem: expect.stringMatching(/^a pattern is wrong: /) });
    expect(bodyMatches('a'.repeat(1_000_000), 'a{40}b')).toEqual({
      ok: false,
      problem: 'it costs too much on a body of this length',
    });
  });
});

describe('a job gate in Git', () => {
  const spec = { image: 'registry.example.com/smoke:1.0' };

  it('fills in its defaults', () => {
    expect(read(jobGate, spec)).toEqual({ ...spec, backoffLimit: 0, deadline: 300_000, cpu: '500m', memory: '256Mi' });
  });

  it('takes images, quantities, variables and deadlines that can be meant', () => {
    refuses(jobGate, spec, [{ args: Array<string>(51).fill('a') }], 'args: ');
    takes(jobGate, spec, [
      { image: 'a' },
      { command: ['a'], args: ['b'] },
      { image: '9/b@sha256:c' },
      { cpu: '1', memory: '999999Gi' },
      { cpu: '200m', memory: '64Mi' },
      { env: { _A9: 'x', b: '' } },
      { deadline: '1s' },
      { deadline: '1h' },
      { command: Array<string>(50).fill('a'), args: Array<string>(50).fill('a') },
      { backoffLimit: 5, runAsUser: 1 },
      { imagePullSecrets: Array<string>(10).fill('a') },
    ]);
    refuses(jobGate, spec, [{ image: 'A' }, { image: '/a' }, { image: 'a b' }, { image: ' a' }], 'is not an image');
    refuses(jobGate, spec, [{ image: long(513) }], 'image: ');
    refuses(
      jobGate,
      spec,
      ['0', '01', '1000000', '1k', 'x1', '1mx', 'm'].map((cpu) => ({ cpu })),
      'is not a quantity',
    );
    refuses(
      jobGate,
      spec,
      [{ env: { '9a': 'x' } }, { env: { 'a-b': 'x' } }, { env: { ' a': 'x' } }, { env: { [long(129)]: 'x' } }],
      'env.',
    );
    refuses(jobGate, spec, [{ deadline: '61m' }, { deadline: '0s' }], 'deadline: is not between 1s and 1h');
    refuses(jobGate, spec, [{ command: Array<string>(51).fill('a') }], 'command: ');
    refuses(jobGate, spec, [{ args: [long(4097)] }], 'args.0: ');
    refuses(jobGate, spec, [{ backoffLimit: 6 }, { backoffLimit: -1 }], 'backoffLimit: ');
    refuses(jobGate, spec, [{ runAsUser: 0 }], 'runAsUser: ');
    refuses(jobGate, spec, [{ imagePullSecrets: Array<string>(11).fill('a') }], 'imagePullSecrets: ');
  });
});

describe('a cel gate in Git', () => {
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const spec = { objects: [web], success: 'object.status.readyReplicas == 2' };
  const of = (part: object) => ({ objects: [{ ...web, ...part }] });

  it('calls objects as they say, or object with a name, or objects without', () => {
    const entries = [web, { ...web, as: 'other' }, { apiVersion: 'v1', kind: 'Pod' }].map((entry) => ({
      ...entry,
      optional: false,
    }));
    expect(entries.map(celName)).toEqual(['object', 'other', 'objects']);
    expect(celVariables(entries)).toEqual({ object: 'dyn', other: 'dyn', objects: 'list' });
    expect(read(celGate, spec)).toEqual({ ...spec, objects: [{ ...web, optional: false }] });
  });

  it('takes objects that can be meant', () => {
    takes(celGate, { ...spec, success: 'true' }, [
      of({ apiVersion: 'v1' }),
      of({ apiVersion: 'a.example.com/v1beta1' }),
      of({ kind: 'K' }),
      of({ name: '{cluster}-web', namespace: '{cluster}' }),
      of({ as: 'w9' }),
      { objects: [{ apiVersion: 'v1', kind: 'Pod', labels: { app: 'web-{cluster}' } }] },
      { objects: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' }] },
      { objects: [{ apiVersion: 'a.example.com/v1', kind: 'Secret', name: 'a' }] },
    ]);
    const given = { ...spec, success: 'true' };
    refuses(
      celGate,
      given,
      ['apps', 'apps/', '/v1', 'apps/v1/x', 'Apps/v1', 'x apps/v1', 'v'].map((apiVersion) => of({ apiVersion })),
      'is not an API version',
    );
    refuses(
      celGate,
      given,
      ['deployment', 'A-B', 'x A', `A${long(63)}`].map((kind) => of({ kind })),
      'is not a kind',
    );
    refuses(
      celGate,
      given,
      ['-a', 'a b', 'a/b', ' a', ''].map((name) => of({ name })),
      'is not a name',
    );
    refuses(
      celGate,
      given,
      ['-a', 'a b'].map((namespace) => of({ namespace })),
      'is not a namespace',
    );
    refuses(
      celGate,
      given,
      ['A', '9', 'a-b', 'a b', ' a', `a${long(31)}`].map((as) => of({ as })),
      'is not a name for an expression',
    );
    refuses(
      celGate,
      given,
      ['true', 'in', 'size', 'all', 'string', 'metered'].map((as) => of({ as })),
      'is a word of CEL',
    );
    refuses(
      celGate,
      given,
      [{ objects: [{ apiVersion: 'v1', kind: 'Pod', labels: { app: 'a b' } }] }],
      'is not a label value',
    );
    refuses(celGate, given, [of({ apiVersion: 'v1', kind: 'Secret' })], 'objects.0.kind: is not read for gates');
    refuses(celGate, given, [of({ labels: { a: 'b' } })], 'objects.0.labels: do not go with a name');
    refuses(
      celGate,
      given,
      [{ objects: [] }, { objects: Array.from({ length: 11 }, (_, index) => ({ ...web, as: `a${index}` })) }],
      'objects: ',
    );
  });

  it('gives each object a name of its own', () => {
    refuses(celGate, spec, [{ objects: [web, { ...web, name: 'b' }] }], 'objects.1.as: is object, as another one is');
    takes(celGate, spec, [{ objects: [web, { ...web, name: 'b', as: 'b' }] }]);
  });

  it('is refused, and nothing more, where one of its objects is called as CEL calls something', () => {
    const objects = [web, { ...web, name: 'b', as: 'string' }];
    expect(told(celGate, { objects, success: 'no condition' })).toBe(
      'objects.1.as: is a word of CEL\ncall it otherwise',
    );
  });

  it('has a condition over what it reads, and says where one is wrong', () => {
    expect(told(celGate, { objects: [web] })).toMatch(/^: has no condition/);
    expect(told(celGate, { ...spec, success: '"yes"' })).toBe(
      'success: is not a condition: the expression gives string, not true or false\nCompare it with something, as in `a == b`.',
    );
    takes(celGate, { objects: [web] }, [{ failure: 'object == null' }]);
    refuses(celGate, spec, [{ success: 'other == 1' }], 'success: is not a condition: ');
    refuses(celGate, spec, [{ failure: 'object ==' }], 'failure: is not a condition: ');
    refuses(celGate, spec, [{ success: 'true &&\n  ==' }], '(line 2, column ');
  });
});

describe('a webhook in Git', () => {
  const spec = { url: 'https://gates.example.com/ask', secret: 'key' };

  it('fills in its defaults', () => {
    expect(read(webhookGate, spec)).toEqual({ ...spec, unsignedAnswers: false, timeout: 10_000, askAgain: 10_000 });
  });

  it('takes addresses, data and time-outs that can be meant', () => {
    takes(webhookGate, spec, [
      { url: 'http://127.0.0.1:9/a?b' },
      { url: 'https://gates' },
      { data: { a: long(8_184) } },
      { timeout: '20s' },
    ]);
    refuses(
      webhookGate,
      spec,
      ['a', 'x http://a', 'http://u@a', 'http://a?b', 'http://a/ b', 'http://a/b#c'].map((url) => ({ url })),
      'is not an address',
    );
    refuses(webhookGate, spec, [{ url: 'https://a/{cluster}' }, { url: 'https://{region}.a' }], 'asks for one cluster');
    refuses(webhookGate, spec, [{ data: { a: long(8_185) } }], 'data: is too long');
    refuses(webhookGate, spec, [{ timeout: '21s' }], 'timeout: is too long');
  });

  it('answers with a measurement', () => {
    expect(webhookMeasurement('pass', 'fine\nindeed', 2, 'asked')).toEqual({
      verdict: 'Success',
      evidence: 'the answer is pass: fine indeed',
      memo: { run: 3 },
    });
    expect(webhookMeasurement('fail', '', 0, 'called back')).toMatchObject({
      verdict: 'Failure',
      evidence: 'the answer is fail, by call-back',
    });
    expect(webhookMeasurement('inconclusive', '', 0, 'asked').verdict).toBe('Inconclusive');
  });
});
