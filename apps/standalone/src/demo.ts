import { parseArgs } from 'node:util';
import { runDemo } from './demo/demo.ts';
import { Teller } from './demo/teller.ts';

const HELP = `A good release, a bad one, and one that is ready but wrong by its figures: both are rolled back by themselves, over 12 simulated
clusters in 4 regions. The figures are simulated too, and follow the images that run.

  npm run demo [-- options]

  --exit   ends after the story: status 0 only if the clusters' own objects show what the story says
  --real   on 6 real control planes of the test bed instead of the simulator
  --help
`;

const readArguments = (): { readonly real: boolean; readonly exit: boolean } | null => {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { exit: flag, real: flag, help: flag } });
  return values.help ? null : values;
};

const main = async (): Promise<number> => {
  const options = readArguments();
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  }
  return (await runDemo(options, new Teller(process.stdout), stop.signal)) ? 0 : 1;
};

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof TypeError ? 2 : 1);
  },
);
