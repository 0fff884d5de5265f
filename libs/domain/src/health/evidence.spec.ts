import type { KubeObject } from '../kubernetes/object.ts';
import { assessObject } from './assess-object.ts';
import { controllerOf, eventsOf, indexEvents } from './event.ts';
import { evidenceKinds } from './evidence-kinds.ts';
import { oneLine, upperCamelCase } from './evidence-text.ts';
import { explainPod, failFastReason } from './explain-pod.ts';
import { evidenceFor, indexEvidence } from './pod-evidence.ts';
import { podTrouble } from './pod-trouble.ts';
import {
  ago,
  container,
  daemonSet,
  deployment,
  event,
  exited,
  illPod,
  isFalse,
  isTrue,
  job,
  NOW,
  object,
  ownedBy,
  pod,
  statefulSet,
  waiting,
} from './testing/kube-builders.ts';

describe('the events about an object', () => {
  const web = pod();

  it('are those of its uid, or of its name where one of them has none', () => {
    const { involvedObject } = event(web, 'x', 'y') as unknown as { involvedObject: Record<string, unknown> };
    const about = (uid: string | undefined) =>
      event(web, 'Killing', 'y', { involvedObject: { ...involvedObject, uid } });
    const seen = (given: KubeObject, subject: KubeObject = web) => eventsOf(subject, indexEvents([given])).length;
    expect([seen(about('uid-Pod-web-7d4f-x1')), seen(about(undefined)), seen(about('other'))]).toEqual([1, 1, 0]);
    const nameless = pod({ metadata: { uid: undefined } });
    expect([seen(about('other'), nameless), seen(about(undefined), nameless)]).toEqual([1, 1]);
  });

  it('explain it where they are warnings', () => {
    const sick = illPod(waiting('ContainerCreating'));
    expect(explainPod(sick, [event(sick, 'Pulling', 'image', { type: 'Normal' })])?.line).toBe(
      'ContainerCreating on web-7d4f-x1',
    );
    expect(explainPod(sick, [event(sick, 'FailedMount', 'no volume')])?.line).toBe(
      'FailedMount on web-7d4f-x1: no volume',
    );
  });

  it('of its placement explain a pod that was not placed, or has not begun', () => {
    const placement = (sick: KubeObject) => explainPod(sick, [event(sick, 'FailedScheduling', '0 of 3 nodes')])?.line;
    const unplaced = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' };
    expect(placement(pod({ status: { phase: 'Pending', conditions: [], containerStatuses: [] } }))).toBe(
      'FailedScheduling on web-7d4f-x1: 0 of 3 nodes',
    );
    expect(placement(pod({ status: { phase: 'Pending', conditions: [unplaced], containerStatuses: [] } }))).toBe(
      'Unschedulable on web-7d4f-x1: Unschedulable',
    );
    expect(placement(illPod(waiting('ContainerCreating')))).toBe('ContainerCreating on web-7d4f-x1');
  });

  it('lend a stuck pod their words, and not their reason', () => {
    const stuck = illPod(waiting('ImagePullBackOff'));
    expect(explainPod(stuck, [event(stuck, 'Failed', 'no such image')])?.line).toBe(
      'ImagePullBackOff on web-7d4f-x1: no such image',
    );
    const said = illPod(waiting('ImagePullBackOff', 'Back-off'));
    expect(explainPod(said, [event(said, 'Failed', 'no such image')])?.line).toBe(
      'ImagePullBackOff on web-7d4f-x1: Back-off',
    );
  });
});

describe('the owner of an object', () => {
  const of = (...ownerReferences: readonly object[]) => controllerOf(pod({ metadata: { ownerReferences } }));
  const [a, b] = [
    { kind: 'Job', uid: 'a' },
    { kind: 'ReplicaSet', uid: 'b' },
  ];

  it('is the one that controls it, or the only one', () => {
    expect(of()).toBeUndefined();
    expect(of(a)).toEqual(a);
    expect(of(a, { ...b, controller: true })).toEqual(b);
    expect(of(a, b)).toBeUndefined();
    expect(of({ uid: 'c' })).toEqual({ uid: 'c', kind: '' });
  });
});

describe('what to look at beside the inventory', () => {
  const inside = (apiVersion: string, kind: string, namespace: string) =>
    object(apiVersion, kind, { metadata: { namespace } });

  it('is what one object of the namespace needs', () => {
    expect(
      evidenceKinds([
        inside('v1', 'ConfigMap', 'web'),
        inside('v1', 'Service', 'web'),
        deployment({ metadata: { namespace: 'web' } }),
        inside('apps/v1', 'StatefulSet', 'db'),
        inside('networking.k8s.io/v1', 'Ingress', 'edge'),
        inside('extensions/v1', 'Deployment', 'own'),
        inside('v1', 'Node', ''),
      ]),
    ).toEqual([
      { namespace: 'db', pods: true, replicaSets: false, events: true },
      { namespace: 'own', pods: true, replicaSets: false, events: true },
      { namespace: 'web', pods: true, replicaSets: true, events: true },
    ]);
  });
});

describe('pods that tell of their workload', () => {
  const sick = (name: string, metadata: object, reason = 'ImagePullBackOff', kind = 'DaemonSet') =>
    illPod(waiting(reason), { name, metadata: { ...metadata, ownerReferences: [ownedBy(kind, 'web')] } });
  const lineFor = (workload: KubeObject, ...pods: readonly KubeObject[]) =>
    evidenceFor(workload, indexEvidence(pods, [], [])).line;

  it('are those of the newest pod’s revision where a DaemonSet has no generation of its template', () => {
    const set = daemonSet({ metadata: { annotations: {} } });
    const of = (revision: string, seconds: number) => ({
      labels: { 'controller-revision-hash': revision },
      creationTimestamp: ago(seconds),
    });
    const [old, older, young] = [
      sick('old', of('a', 500), 'ErrImagePull'),
      sick('older', of('a', 900), 'ErrImagePull'),
      sick('young', of('b', 100), 'InvalidImageName'),
    ];
    expect(lineFor(set, old, young, older)).toBe('InvalidImageName on young');
    expect(lineFor(set, young, older, old)).toBe('InvalidImageName on young');
    expect(lineFor(set, old, older)).toBe('ErrImagePull on old');
    expect(lineFor(set, sick('plain', {}))).toBe('ImagePullBackOff on plain');
    expect(lineFor(set)).toBeNull();
  });

  it('are all of a StatefulSet that names no revision', () => {
    const set = statefulSet({ status: { updateRevision: undefined } });
    expect(lineFor(set, sick('web-0', {}, 'ErrImagePull', 'StatefulSet'))).toBe('ErrImagePull on web-0');
  });

  it('are the first by name of those that are equally ill', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => sick(name, {})) as [KubeObject, KubeObject, KubeObject];
    const set = daemonSet();
    for (const pods of [
      [a, b, c],
      [c, b, a],
      [b, a, c],
    ])
      expect(lineFor(set, ...pods)).toBe('ImagePullBackOff on a');
    expect(lineFor(a)).toBe('ImagePullBackOff on a');
  });

  it('tell of the worst of their containers', () => {
    const two = (...containerStatuses: readonly object[]) =>
      podTrouble(illPod({}, { status: { containerStatuses } }))?.reason;
    const [restarting, stuck] = [container(exited(1)), container(waiting('ErrImagePull'))];
    expect([two(restarting, stuck), two(stuck, restarting)]).toEqual(['ErrImagePull', 'ErrImagePull']);
  });

  it.each([
    ['Error', 'container web exited with code 1 (Error)', { containerStatuses: [container(exited(1))] }],
    ['ContainerCreating', '', { containerStatuses: [container({}), container(waiting('ContainerCreating'))] }],
    ['PodPending', '', { containerStatuses: [container(exited(0), { restartCount: 2 })] }],
    ['Unschedulable', 'no node was found for it', { conditions: [{ type: 'PodScheduled', status: 'False' }] }],
    ['Gated', 'Gated', { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Gated' }] }],
    ['NotReady', '', { phase: 'Running', conditions: [] }],
    ['NotObserved', '', { phase: undefined, conditions: [] }],
    [
      'OOMKilled',
      'container web exited with code 137 (OOMKilled)',
      { phase: 'Failed', containerStatuses: [container(exited(137, 'OOMKilled'))] },
    ],
    ['PodFailed', 'the pod has failed', { phase: 'Failed' }],
    [
      'Evicted',
      'the pod has failed',
      { phase: 'Failed', reason: 'Evicted', containerStatuses: [container(exited(1))] },
    ],
  ])('say %s: %s', (reason, message, status) => {
    const trouble = podTrouble(pod({ status: { phase: 'Pending', conditions: [], containerStatuses: [], ...status } }));
    expect(trouble).toMatchObject({ reason, message });
  });

  it('have a name', () => {
    expect(explainPod(illPod(waiting('ErrImagePull'), { metadata: { name: undefined } }), [])).toBeNull();
  });
});

describe('what will not mend', () => {
  const failed = { phase: 'Failed', reason: 'Evicted', message: 'no disk' };

  it('is a pod that has failed and that nobody replaces', () => {
    expect(failFastReason(pod({ status: failed }))).toMatchObject({ reason: 'Evicted', message: 'no disk' });
    expect(failFastReason(pod({ status: failed, ownedBy: ownedBy('ReplicaSet', 'web') }))).toBeNull();
    expect(failFastReason(pod())).toBeNull();
    for (const metadata of [{ name: undefined }, { deletionTimestamp: ago(5) }])
      expect(failFastReason(job({ metadata, status: { conditions: [isTrue('Failed')] } }))).toBeNull();
    expect(failFastReason(illPod(waiting('ContainerCreating')))).toBeNull();
  });

  it('is a Job that has failed', () => {
    expect(failFastReason(job())).toBeNull();
    expect(failFastReason(job({ status: { conditions: [isTrue('Failed', 'Late', 'too late')] } }))).toMatchObject({
      reason: 'JobFailed',
      message: 'too late',
    });
  });

  it('is a Deployment past its deadline, and none that is only unavailable', () => {
    const of = (...conditions: readonly object[]) => failFastReason(deployment({ status: { conditions } }));
    expect(of(isFalse('Progressing', 'ProgressDeadlineExceeded', 'late'))).toMatchObject({ message: 'late' });
    expect(of(isFalse('Available', 'MinimumReplicasUnavailable'))).toBeNull();
  });
});

describe('words of others', () => {
  it.each([
    ['image-pull_failed', 'ImagePullFailed'],
    ['9lives2', 'Lives2'],
    ['99', 'Other'],
    ['', 'Other'],
    [undefined, 'Other'],
    ['x'.repeat(65), `X${'x'.repeat(63)}`],
    [`${'-'.repeat(64)}late`, 'Late'],
  ])('make a reason: %s', (text, reason) => {
    expect(upperCamelCase(text, 'Other')).toBe(reason);
  });

  it('make one line of 400 characters at most', () => {
    expect(oneLine(' a\n\tb\u001b ')).toBe('a b');
    expect(oneLine('x'.repeat(400))).toBe('x'.repeat(400));
    expect(oneLine('x'.repeat(401))).toBe(`${'x'.repeat(399)}…`);
  });
});

describe('an object without a kind, or without a name', () => {
  it.each([[{ metadata: { name: 'a' } }], [{ kind: 'ConfigMap', metadata: {} }]])('is unknown: %j', (parts) => {
    const given = { apiVersion: 'v1', ...parts } as unknown as KubeObject;
    expect(assessObject(given, NOW).status).toBe('Unknown');
  });
});
