import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '@breakwater/testing';
import type { TestbedCluster } from '@breakwater/testing';

/** Controllers that the test bed leaves out of every cluster, run beside its own for one test. */
export class ExtraControllers {
  readonly #process: ChildProcess;
  readonly #dir: string;

  constructor(cluster: TestbedCluster, controllers: readonly string[], flags: readonly string[] = []) {
    const binaries = findBinaries();
    if (binaries === null) throw new Error('the programs of the test bed are not there');
    this.#dir = mkdtempSync(join(tmpdir(), 'breakwater-controllers-'));
    const kubeconfig = join(this.#dir, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.adminKubeconfig, { mode: 0o600 });
    this.#process = spawn(
      join(binaries.dir, 'kube-controller-manager'),
      [
        `--kubeconfig=${kubeconfig}`,
        `--controllers=${controllers.join(',')}`,
        '--leader-elect=false',
        '--secure-port=0',
        ...flags,
      ],
      { stdio: 'ignore' },
    );
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
