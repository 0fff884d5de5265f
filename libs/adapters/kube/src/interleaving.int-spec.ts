import { jest } from '@jest/globals';
import type { ApplyPolicy, KubeObject } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, TESTBED_TIMEOUT_MS, type Testbed } from '@breakwater/testing';
import { comparable, configMap, deployment, openPermit, POLICY, Scene } from './testing/scene.ts';

const { describe: describeWithTestbed } = requireTestbed();

jest.setTimeout(600_000);

/** Requests of one kind of session, from this one on, wait until they are let go. */
const holdFrom = (first: number): { permit: ReturnType<typeof openPermit>; held: Promise<void>; letGo: () => void } => {
  let arrived = (): void => undefined;
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (arrived = resolve));
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const permit = openPermit(async (index) => {
    if (index < first) return;
    arrived();
    await gate;
  });
  return { permit, held, letGo };
};

/** Each round has an application and a namespace of its own, so that one cluster serves all of them. */
const world = (
  round: string,
): { application: string; policy: ApplyPolicy; v1: KubeObject[]; v2: KubeObject[]; paths: string[] } => {
  const namespace = `shop-${round}`;
  const inHere = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, namespace } });
  const stable = inHere(configMap('stable', { a: '1' }));
  return {
    application: `web-${round}`,
    policy: { ...POLICY, namespace },
    v1: [
      inHere(configMap('settings', { v: '1', one: 'x' })),
      stable,
      inHere(configMap('old', { v: '1' })),
      inHere(deployment('front', 'nginx:1', 0)),
    ],
    v2: [
      inHere(configMap('settings', { v: '2', two: 'x' })),
      stable,
      inHere(configMap('fresh', { v: '2' })),
      inHere(deployment('front', 'nginx:2', 0)),
    ],
    paths: [
      ...['settings', 'stable', 'old', 'fresh'].map((name) => `/api/v1/namespaces/${namespace}/configmaps/${name}`),
      `/apis/apps/v1/namespaces/${namespace}/deployments/front`,
    ],
  };
};

describeWithTestbed('a worker that sleeps before one of its requests', () => {
  let bed: Testbed;
  let scene: Scene;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'kube-interleaving' });
    scene = await new Scene(bed.clusters[0]!).connect();
  }, TESTBED_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.close();
    await bed?.release();
  });

  const snapshot = async (paths: readonly string[]): Promise<unknown[]> =>
    Promise.all(
      paths.map(async (path) => {
        const { status: _status, ...object } = (comparable(await scene.live(path)) ?? {}) as Record<string, unknown>;
        return object;
      }),
    );

  /** The sleeper: applies v2, then prunes, as the worker of a rollout does. */
  const forward = async (
    it: ReturnType<typeof world>,
    permit: ReturnType<typeof openPermit>,
    by = scene,
  ): Promise<string> => {
    const session = {
      application: it.application,
      policy: it.policy,
      epoch: 2,
      nonce: 'sleeper',
      rollout: 'r2',
      permit,
    };
    const applied = await by.apply(it.v2, session);
    if (applied.kind !== 'Applied') return applied.kind;
    return (await by.prune(it.v2, session)).kind;
  };

  /** The successor takes it back. */
  const back = async (it: ReturnType<typeof world>): Promise<void> => {
    const session = {
      application: it.application,
      policy: it.policy,
      epoch: 3,
      nonce: 'successor',
      rollout: 'r2',
      mode: 'rollback',
    } as const;
    const applied = await scene.apply(it.v1, session);
    if (applied.kind !== 'Applied') throw new Error(JSON.stringify(applied));
    const pruned = await scene.prune(it.v1, session);
    if (pruned.kind !== 'Pruned') throw new Error(JSON.stringify(pruned));
  };

  it('changes nothing when it wakes up after its successor, whichever request it was', async () => {
    for (let index = 0; ; index++) {
      const it = world(`at-${index}`);
      await scene.apply(it.v1, { application: it.application, policy: it.policy });
      const before = await snapshot(it.paths);
      const sleeper = holdFrom(index);
      const ending = forward(it, sleeper.permit);
      // It has gone to sleep, or has ended: there are no more requests to sleep before.
      const end = await Promise.race([sleeper.held.then(() => null), ending]);
      if (end !== null) {
        expect([index, end]).toEqual([index, 'Pruned']);
        expect(index).toBeGreaterThanOrEqual(8);
        return;
      }
      await back(it);
      const restored = await snapshot(it.paths);
      // A deleted object comes back with another uid and time.
      const again = (object: unknown): unknown =>
        JSON.parse(
          JSON.stringify(object, (key, value: unknown) =>
            key === 'uid' || key === 'creationTimestamp' ? undefined : value,
          ),
        );
      expect([index, again(restored)]).toEqual([index, again(before)]);
      sleeper.letGo();
      expect([index, await ending]).toEqual([index, 'Fenced']);
      expect([index, await snapshot(it.paths)]).toEqual([index, restored]);
    }
  });

  it('changes nothing when its request, already on its way, lands after its successor', async () => {
    const proxy = await scene.cluster.proxy();
    const sleeper = await new Scene(
      scene.cluster,
      { request: 2_000, connect: 2_000 },
      proxy.kubeconfig,
      'breakwater/sleeper',
    ).connect();
    const landed = async (): Promise<number> =>
      (await scene.cluster.auditLog({ writesOnly: true })).filter((entry) => entry.userAgent === 'breakwater/sleeper')
        .length;
    let ended = '';
    for (let index = 0; ended !== 'Pruned'; index++) {
      const it = world(`flight-${index}`);
      await scene.apply(it.v1, { application: it.application, policy: it.policy });
      const before = await landed();
      let sends = 0;
      const permit = {
        // Cut right before the bytes leave: they wait on the line.
        send: <T>(request: (check: () => void) => Promise<T>): Promise<T> => {
          const mine = sends++;
          return request(() => {
            if (mine >= index) proxy.cutOff();
          });
        },
      };
      ended = await forward(it, permit, sleeper);
      expect(ended).toMatch(/^(Unreachable|Pruned)$/);
      const until = Math.min(sends, index + 1);
      await back(it);
      const restored = await snapshot(it.paths);
      proxy.restore('go-on');
      while ((await landed()) < before + until) await new Promise((resolve) => setTimeout(resolve, 20));
      // A create that was on its way may land: the second look is there for it.
      await back(it);
      expect([index, await snapshot(it.paths)]).toEqual([index, restored]);
      proxy.restore('lost');
    }
    await sleeper.close();
  });

  it('leaves nothing behind a successor that has taken a first release back to nothing', async () => {
    // Before the fence exists (0) nothing in the cluster can stop anybody: there the permit does.
    for (let index = 1; ; index++) {
      const it = world(`first-${index}`);
      const session = { application: it.application, policy: it.policy, nonce: 'sleeper' };
      const sleeper = holdFrom(index);
      const ending = scene.apply(it.v1, { ...session, permit: sleeper.permit });
      const done = await Promise.race([ending.then(() => true), sleeper.held.then(() => false)]);
      if (done) {
        expect(index).toBeGreaterThan(6);
        return;
      }
      const back = { ...session, nonce: 'successor', epoch: 2, mode: 'rollback' } as const;
      expect(await scene.apply([], back)).toMatchObject({ kind: 'Applied' });
      expect(await scene.prune([], { ...back, removeAll: true })).toMatchObject({ kind: 'Pruned', inventory: false });
      sleeper.letGo();
      expect([index, await ending]).toEqual([index, { kind: 'Fenced', fenceEpoch: 0 }]);
      const namespace = `/api/v1/namespaces/shop-first-${index}`;
      for (const path of [
        namespace,
        ...it.paths,
        `/api/v1/namespaces/breakwater-system/configmaps/${it.application}`,
      ]) {
        expect([index, path, await scene.live(path)]).toEqual([index, path, null]);
      }
    }
  });

  it('leaves a create that lands late to the second look', async () => {
    const it = world('late');
    await scene.apply(it.v1, { application: it.application, policy: it.policy });
    // Namespace and fence are there: 0 takes the fence, the next ones write.
    const sleeper = holdFrom(1);
    const ending = forward(it, sleeper.permit);
    await sleeper.held;
    await back(it);
    const session = {
      application: it.application,
      policy: it.policy,
      epoch: 3,
      nonce: 'successor',
      rollout: 'r2',
      mode: 'rollback',
    } as const;
    const fresh = it.v2[2]!;
    expect(await scene.prune(it.v1, session)).toMatchObject({
      kind: 'Pruned',
      deleted: [],
      suspects: [`ConfigMap/shop-late/fresh`],
    });
    const path = `/api/v1/namespaces/shop-late/configmaps/fresh`;
    const late = {
      ...fresh,
      metadata: { ...fresh.metadata, labels: { 'breakwater.dev/application': it.application } },
    };
    await scene.cluster.apply(path, late, 'breakwater');
    expect(await scene.prune(it.v1, session)).toMatchObject({
      kind: 'Pruned',
      deleted: ['ConfigMap/shop-late/fresh'],
      suspects: [],
    });
    expect(await scene.live(path)).toBeNull();
    sleeper.letGo();
    expect(await ending).toBe('Fenced');
  });

  it('is kept out by a successor that had nothing to write', async () => {
    const it = world('nothing');
    await scene.apply(it.v1, { application: it.application, policy: it.policy });
    const before = await snapshot(it.paths);
    const sleeper = holdFrom(0);
    const ending = forward(it, sleeper.permit);
    await sleeper.held;
    await back(it);
    sleeper.letGo();
    expect(await ending).toBe('Fenced');
    expect(await snapshot(it.paths)).toEqual(before);
  });

  it('is kept out of the same epoch with another nonce, and of another installation', async () => {
    const it = world('nonce');
    const session = { application: it.application, policy: it.policy };
    await scene.apply(it.v1, { ...session, epoch: 5, nonce: 'mine' });
    expect(await scene.apply(it.v2, { ...session, epoch: 5, nonce: 'other' })).toEqual({
      kind: 'Fenced',
      fenceEpoch: 5,
    });
    expect(await scene.apply(it.v2, { ...session, epoch: 9, installation: 'elsewhere' })).toMatchObject({
      kind: 'Refused',
      reason: 'ForeignInstallation',
    });
    expect(await scene.apply(it.v2, { ...session, epoch: 5, nonce: 'mine' })).toMatchObject({ kind: 'Applied' });
  });
});
