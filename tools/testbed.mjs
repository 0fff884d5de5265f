/** The test bed by hand: `node tools/testbed.mjs prepare|start [N]|status|stop`. Needs Node 24, as the bed is TypeScript. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { pathToFileURL } from 'node:url';

const source = join(import.meta.dirname, '../libs/testing/src/testbed');
const load = (file) => import(pathToFileURL(join(source, file)).href);
const print = (line) => console.log(line);

const commands = {
  /** Finds or builds the programs. */
  async prepare() {
    const { ensureBinaries } = await load('binaries.ts');
    const { dir, from } = await ensureBinaries(print);
    print(`test bed: programs from ${from} (${dir})`);
  },
  /** Starts N clusters, writes their kubeconfigs here, and keeps them until Ctrl-C. */
  async start(count = '1') {
    await commands.prepare();
    const { acquireTestbed } = await load('testbed.ts');
    const bed = await acquireTestbed({ clusters: Number(count), label: 'by hand' });
    for (const cluster of bed.clusters) {
      const file = `${cluster.name}.kubeconfig`;
      writeFileSync(file, cluster.kubeconfig, { mode: 0o600 });
      print(`${cluster.name}  ${cluster.url}  kubectl --kubeconfig ${file} …`);
    }
    print('Ctrl-C gives them back.');
    setInterval(() => undefined, 1 << 30);
  },
  async status() {
    const { testbedStatus } = await load('daemon-client.ts');
    print(JSON.stringify(await testbedStatus(), null, 2));
  },
  async stop() {
    const { stopTestbed } = await load('daemon-client.ts');
    await stopTestbed('now');
  },
};

const [name = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  console.error(`usage: node tools/testbed.mjs ${Object.keys(commands).join('|')}`);
  process.exit(2);
}
if (Number(process.versions.node.split('.')[0]) < 24) {
  // Installed by npm next to everything else; see bootstrap.mjs.
  const node = join(import.meta.dirname, '../node_modules/.bin/node');
  execFileSync(node, process.argv.slice(1), { stdio: 'inherit' });
} else {
  await commands[name](...args);
}
