import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSimulatedFleet } from './fleet.ts';

const help = `Starts simulated Kubernetes API servers in this process and writes a kubeconfig for each.

  --clusters N          how many (default 12), named cluster-1 … cluster-N
  --names a,b,c         their names, instead of a number
  --kubeconfigs DIR     where NAME.kubeconfig files go, mode 0600 (default ./simulated-kubeconfigs)
  --port P              of the one listener (default: a free one)
  --http                without TLS, for measurements
  --latency MS          added to every answer (default 0)
  --pod-ready MS        from the creation of a pod until it is ready (default 500)
  --no-workloads        no controllers: objects stay as they were written
  --help

Images choose how pods get on: one with "broken" in its name cannot be pulled, "crashloop" crashes, "unready" never
becomes ready, "degrades" is ready and then not ("degrades-800ms" says when), "fails" fails a Job, "delay-5s" is ready after
five seconds; annotations testbed.breakwater.dev/behaviour, ready-after, unready-after and complete-after say the same. Nothing here is real: versions end in -simulated.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clusters: { type: 'string', default: '12' },
      names: { type: 'string' },
      kubeconfigs: { type: 'string', default: 'simulated-kubeconfigs' },
      port: { type: 'string', default: '0' },
      http: { type: 'boolean', default: false },
      latency: { type: 'string', default: '0' },
      'pod-ready': { type: 'string', default: '500' },
      'no-workloads': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const names =
    values.names?.split(',') ??
    Array.from({ length: whole('clusters', values.clusters) }, (_, index) => `cluster-${index + 1}`);
  const latencyMs = whole('latency', values.latency);
  const workloads = values['no-workloads'] ? (false as const) : { podReadyMs: whole('pod-ready', values['pod-ready']) };
  const fleet = await startSimulatedFleet({
    clusters: names.map((name) => ({ name, latencyMs, workloads })),
    port: whole('port', values.port),
    protocol: values.http ? 'http' : 'https',
  });
  await mkdir(values.kubeconfigs, { recursive: true, mode: 0o700 });
  for (const cluster of fleet.clusters) {
    const file = join(values.kubeconfigs, `${cluster.name}.kubeconfig`);
    await writeFile(file, cluster.kubeconfig, { mode: 0o600 });
    // A file that was there keeps the mode that it had.
    await chmod(file, 0o600);
  }
  process.stdout.write(
    `${fleet.clusters.length} simulated clusters on port ${fleet.port}; kubeconfigs in ${values.kubeconfigs}\n`,
  );
  const stop = (): void => {
    void fleet.stop().then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new Error(`--${name}: ${JSON.stringify(text)} is not a whole number`);
  return value;
}

main().catch((error: unknown) => {
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
