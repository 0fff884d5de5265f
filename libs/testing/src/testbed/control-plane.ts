import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { recipeFile } from './checkout.ts';
import { Child } from './child.ts';
import { BED_NODE, BED_USERS, CLUSTER_OBJECTS } from './cluster-objects.ts';
import type { EtcdClient, EtcdEntry } from './etcd.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { freePort } from './ports.ts';

const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
  'job-controller',
  'cronjob-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'endpointslice-controller',
  'resourcequota-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'clusterrole-aggregation-controller',
  'disruption-controller',
  'ttl-after-finished-controller',
  'root-ca-certificate-publisher-controller',
  'validatingadmissionpolicy-status-controller',
];

const FOLLOWERS_BACK_MS = 90_000;
const WIPED_MS = 60_000;
/** Those that a cluster is born with; controllers put something into each of them, one after the other. */
const FIRST_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

export interface ControlPlaneSpec {
  readonly name: string;
  readonly dir: string;
  readonly programs: string;
  readonly etcdUrl: string;
  readonly etcd: EtcdClient;
  readonly serviceAccountKey: { readonly publicFile: string; readonly privateFile: string };
}

/** What a test needs to reach a cluster; serialised by the daemon. */
export interface ClusterAccess {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly auditFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One cluster: API server, controllers and fake kubelets, over a prefix of the shared etcd. */
export class ControlPlane {
  readonly name: string;
  readonly #spec: ControlPlaneSpec;
  readonly #tokens: Record<string, string> = {};
  readonly #prefix: string;
  #port = 0;
  #apiserver: Child | null = null;
  #followers: Child[] = [];
  #stopping = false;
  #caPem = '';
  #agent = new Agent();
  #baseline = new Map<string, EtcdEntry>();
  #wasAway = false;

  constructor(spec: ControlPlaneSpec) {
    this.#spec = spec;
    this.name = spec.name;
    this.#prefix = `/${spec.name}/`;
    for (const user of Object.keys(BED_USERS)) this.#tokens[user] = randomBytes(18).toString('hex');
  }

  get access(): ClusterAccess {
    return {
      name: this.name,
      url: `https://127.0.0.1:${this.#port}`,
      caPem: this.#caPem,
      tokens: this.#tokens,
      auditFile: this.#file('audit.log'),
      certFile: this.#file('certs/apiserver.crt'),
      keyFile: this.#file('certs/apiserver.key'),
    };
  }

  #file(name: string): string {
    return join(this.#spec.dir, name);
  }

  async start(): Promise<void> {
    mkdirSync(this.#spec.dir, { recursive: true, mode: 0o700 });
    const users = Object.entries(BED_USERS).map(
      ([user, groups]) => `${this.#tokens[user]},${user},${user},"${groups.join(',')}"`,
    );
    writeFileSync(this.#file('tokens.csv'), `${users.join('\n')}\n`, { mode: 0o600 });
    // The log must exist before the API server opens it: only then does it append, and so survives being emptied.
    writeFileSync(this.#file('audit.log'), '');
    this.#port = await freePort();
    this.#startApiserver();
    await this.#untilReady(60_000);
    for (const [collection, body] of CLUSTER_OBJECTS) await this.#post(collection, body);
    this.#startFollower('kube-controller-manager', 'system:kube-controller-manager', (kubeconfig) => [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${CONTROLLERS.join(',')}`,
      `--service-account-private-key-file=${this.#spec.serviceAccountKey.privateFile}`,
      `--root-ca-file=${this.#file('ca.crt')}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=200',
      '--kube-api-burst=400',
      // Deleted pods are gone at once here; waiting for stragglers would only slow tests down.
      '--namespace-sync-period=30s',
    ]);
    this.#startFollower('kwok', 'kwok', (kubeconfig) => [
      `--kubeconfig=${kubeconfig}`,
      `--config=${recipeFile('stages.yaml')}`,
      '--manage-all-nodes=true',
      '--node-lease-duration-seconds=0',
    ]);
    await this.#untilWorking(60_000);
    this.#baseline = await this.#whenQuiet();
  }

  /** What a cluster that nobody uses has, when nothing has come to it for a while. */
  async #whenQuiet(): Promise<Map<string, EtcdEntry>> {
    for (let before = await this.#read(false); ;) {
      await delay(300);
      const now = await this.#read(true);
      if (now.size === before.size && [...now.keys()].every((key) => before.has(key))) return now;
      before = now;
    }
  }

  #startApiserver(): void {
    const key = this.#spec.serviceAccountKey;
    this.#apiserver = new Child(
      'kube-apiserver',
      join(this.#spec.programs, 'kube-apiserver'),
      [
        `--etcd-servers=${this.#spec.etcdUrl}`,
        `--etcd-prefix=/${this.name}`,
        `--secure-port=${this.#port}`,
        '--bind-address=127.0.0.1',
        `--cert-dir=${this.#file('certs')}`,
        `--token-auth-file=${this.#file('tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.96.0.0/16',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${key.publicFile}`,
        `--service-account-signing-key-file=${key.privateFile}`,
        // The taint of a new node is lifted by a controller that we do not run.
        '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
        '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
        '--feature-gates=MutatingAdmissionPolicy=true',
        '--endpoint-reconciler-type=none',
        '--enable-priority-and-fairness=false',
        '--max-requests-inflight=0',
        '--max-mutating-requests-inflight=0',
        '--profiling=false',
        '--event-ttl=30m',
        `--audit-policy-file=${recipeFile('audit-policy.yaml')}`,
        `--audit-log-path=${this.#file('audit.log')}`,
        '--audit-log-mode=blocking',
        '--audit-log-maxsize=20000',
        '--shutdown-delay-duration=0s',
      ],
      this.#file('kube-apiserver.log'),
    );
  }

  #startFollower(program: string, user: string, args: (kubeconfig: string) => string[]): void {
    const kubeconfig = this.#file(`${program}.kubeconfig`);
    const { url, caPem } = this.access;
    const token = this.#tokens[user] ?? '';
    writeFileSync(kubeconfig, renderKubeconfig({ cluster: this.name, url, caPem, user, token }), { mode: 0o600 });
    const run = (): void => {
      const child = new Child(
        program,
        join(this.#spec.programs, program),
        args(kubeconfig),
        this.#file(`${program}.log`),
      );
      this.#followers.push(child);
      // They give up when the API server is away for long, which it is when tests take it away.
      void child.whenExited().then(async () => {
        this.#followers = this.#followers.filter((each) => each !== child);
        await delay(1000);
        if (!this.#stopping) run();
      });
    };
    run();
  }

  async call(method: 'GET' | 'POST', path: string, body?: unknown, timeoutMs = 5000): Promise<Answer> {
    const response = await request(`${this.access.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#tokens['admin']}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.body.text();
    const json = response.headers['content-type']?.includes('json') ?? false;
    return { status: response.statusCode, body: json ? JSON.parse(text) : text };
  }

  async #post(collection: string, body: object): Promise<void> {
    const answer = await this.call('POST', collection, body, 15_000);
    if (answer.status !== 201 && answer.status !== 409) {
      throw new Error(`${this.name}: POST ${collection}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      if (this.#apiserver?.exited)
        throw new Error(`${this.name}: kube-apiserver ended: ${this.#logTail('kube-apiserver')}`);
      try {
        if (this.#caPem === '') this.#readCa();
        if ((await this.call('GET', '/readyz', undefined, 1000)).status === 200) return;
      } catch {
        // Not listening yet.
      }
      if (Date.now() > deadline)
        throw new Error(`${this.name}: not ready in ${timeoutMs} ms: ${this.#logTail('kube-apiserver')}`);
      await delay(100);
    }
  }

  /** The API server makes its own certificate: the file holds it and, after it, the authority that signed it. */
  #readCa(): void {
    const pem = readFileSync(this.#file('certs/apiserver.crt'), 'utf8');
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
    const ca = certificates.at(-1);
    if (ca === undefined) throw new Error('no certificate yet');
    this.#caPem = ca;
    writeFileSync(this.#file('ca.crt'), ca);
    void this.#agent.close();
    this.#agent = new Agent({ connect: { ca }, keepAliveTimeout: 60_000 });
  }

  /** Ready is not working: controllers must have come up, the node too, and pods must get their node. */
  async #untilWorking(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe', namespace: 'default' },
      spec: { containers: [{ name: 'probe', image: 'probe' }] },
    };
    let missing = '';
    while (Date.now() < deadline) {
      // One slow answer is one more reason to ask again.
      missing = await this.#missing(pod).catch(String);
      if (missing === '') return;
      await delay(150);
    }
    throw new Error(`${this.name}: ${missing} after ${timeoutMs} ms`);
  }

  async #missing(pod: object): Promise<string> {
    const probe = await this.call('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
    const assigned = (probe.body as { spec?: { nodeName?: string } }).spec?.nodeName === BED_NODE;
    if (!assigned) return `pods get no node (${probe.status})`;
    const node = (await this.call('GET', `/api/v1/nodes/${BED_NODE}`)).body as {
      status?: { conditions?: { type: string; status: string }[] };
    };
    if (!node.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'))
      return 'node not ready';
    for (const namespace of FIRST_NAMESPACES) {
      for (const path of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
        const found = await this.call('GET', `/api/v1/namespaces/${namespace}/${path}`);
        if (found.status !== 200) return `kube-controller-manager has not made ${path} in ${namespace}`;
      }
    }
    return '';
  }

  #logTail(program: string): string {
    return readFileSync(this.#file(`${program}.log`), 'utf8')
      .split('\n')
      .slice(-8)
      .join('\n');
  }

  async #read(withValues: boolean): Promise<Map<string, EtcdEntry>> {
    const entries = await this.#spec.etcd.list(this.#prefix, withValues);
    return new Map(entries.filter(({ key }) => !this.#isOwnBusiness(key)).map((entry) => [entry.key, entry]));
  }

  /** Leases that the control plane renews by itself are no trace of a test. */
  #isOwnBusiness(key: string): boolean {
    return /^\/(leases\/kube-(system|node-lease)|masterleases)\//.test(key.slice(this.#prefix.length - 1));
  }

  freeze(): void {
    this.#wasAway = true;
    this.#apiserver?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#apiserver?.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#wasAway = true;
    await this.#apiserver?.kill();
  }

  /** The same cluster on the same port. A server that still runs is stopped first. */
  async restart(): Promise<void> {
    await this.kill();
    this.#startApiserver();
    await this.#untilReady(60_000);
  }

  /**
   * Sets the cluster back to how it was at its start, in etcd itself: neither finalizers nor webhooks, neither terminating
   * namespaces nor broken APIServices can stand in the way. Watches see deletions as usual. Controllers may just be
   * creating something, so it looks again until nothing new turns up. Where the API server was away, controllers and kubelets
   * are waited for: they back off for as long as it was.
   */
  async reset(): Promise<void> {
    this.thaw();
    if (this.#apiserver?.exited) await this.restart();
    await this.#wipe();
    if (this.#wasAway) {
      await this.#untilFollowersWork();
      await this.#wipe();
      this.#wasAway = false;
    }
    await this.#untilWorking(60_000);
    truncateSync(this.#file('audit.log'), 0);
  }

  async #wipe(): Promise<void> {
    const deadline = Date.now() + WIPED_MS;
    for (let clean = 0; clean < 2;) {
      const now = await this.#read(false);
      const created = [...now.keys()].filter((key) => !this.#baseline.has(key));
      const changed = [...this.#baseline.values()].filter(
        (entry) => now.get(entry.key)?.modRevision !== entry.modRevision,
      );
      await this.#spec.etcd.change(created, changed);
      if (changed.length > 0) await this.#adopt(changed);
      clean = created.length + changed.length === 0 ? clean + 1 : 0;
      if (clean === 0 && Date.now() > deadline) {
        const keys = [...created, ...changed.map(({ key }) => key)].slice(0, 5).join(', ');
        throw new Error(`${this.name}: after ${WIPED_MS} ms something still comes back or changes: ${keys}`);
      }
      await delay(150);
    }
  }

  /** A namespace gets its account and a Deployment its pod: what watches them has found the API server again. */
  async #untilFollowersWork(): Promise<void> {
    const namespace = 'probe-of-followers';
    const labels = { app: 'probe' };
    const deployment = {
      metadata: { name: 'probe' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'probe', image: 'probe' }] } },
      },
    };
    const apps = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const missing = async (): Promise<string> => {
      await this.#post('/api/v1/namespaces', { metadata: { name: namespace } });
      await this.#post(apps, deployment);
      const account = await this.call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
      if (account.status !== 200) return 'a namespace gets no service account';
      const { status } = (await this.call('GET', `${apps}/probe`)).body as { status?: { availableReplicas?: number } };
      return status?.availableReplicas === 1 ? '' : 'a Deployment gets no pod that is ready';
    };
    const deadline = Date.now() + FOLLOWERS_BACK_MS;
    for (let left = await missing().catch(String); left !== ''; left = await missing().catch(String)) {
      if (Date.now() > deadline) throw new Error(`${this.name}: ${left} after ${FOLLOWERS_BACK_MS} ms`);
      await delay(150);
    }
  }

  /** What was put back has a new revision now; without noting it, the next look would take it for changed again. */
  async #adopt(restored: readonly EtcdEntry[]): Promise<void> {
    const now = await this.#read(false);
    for (const entry of restored) {
      const current = now.get(entry.key);
      if (current) this.#baseline.set(entry.key, { ...entry, modRevision: current.modRevision });
    }
  }

  /** Gives kube-system another uid of the same length, in place: to clients it is then another cluster. */
  async changeIdentity(): Promise<string> {
    const key = `${this.#prefix}namespaces/kube-system`;
    const entry = (await this.#read(true)).get(key);
    const current = (await this.call('GET', '/api/v1/namespaces/kube-system')).body as { metadata: { uid: string } };
    if (!entry) throw new Error(`${key} is not in etcd`);
    const uid = `${randomBytes(4).toString('hex')}${current.metadata.uid.slice(8)}`;
    const bytes = Buffer.from(entry.value, 'base64');
    bytes.write(uid, bytes.indexOf(current.metadata.uid), 'utf8');
    await this.#spec.etcd.change([], [{ ...entry, value: bytes.toString('base64') }]);
    return uid;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([this.kill(), ...this.#followers.map((each) => each.kill())]);
    await this.#agent.destroy();
  }
}
