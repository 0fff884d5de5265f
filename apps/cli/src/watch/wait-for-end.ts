import { PREFLIGHT_FAILED, TERMINAL_STATES } from '@breakwater/domain';
import { stringify } from 'yaml';
import type { ApiClient } from '../api/api-client.ts';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../exit-status.ts';
import type { Format } from '../output/print.ts';
import { stateOf } from '../output/rollout-text.ts';
import { printable } from '../output/style.ts';
import { changeLines } from './change-lines.ts';
import { createLiveView } from './live-view.ts';
import { rolloutChanges } from './rollout-changes.ts';
import type { Seen } from './rollout-changes.ts';

export interface WaitOptions {
  readonly format: Format;
  readonly timeoutMs: number | null;
  /** Every look is printed: a line of JSON, or a document of YAML. */
  readonly stream?: boolean;
  /** When to stop looking; default: when the rollout has ended. */
  readonly until?: (seen: Seen) => boolean;
}

type Viewer = (before: Seen | null, after: Seen) => void;

const viewer = (io: CliIo, { format, stream = false }: WaitOptions): Viewer => {
  if (format !== 'table') {
    return (_before, { rollout, targets }) => {
      if (!stream) return;
      const look = { ...rollout, targets };
      io.out(format === 'json' ? `${JSON.stringify(look)}\n` : `---\n${stringify(look, { lineWidth: 0 })}`);
    };
  }
  if (io.isTerminal) {
    const live = createLiveView(io);
    return (_before, after) => live.draw(after);
  }
  return (before, after) => {
    for (const line of changeLines(before, after, io.now())) io.out(line);
  };
};

/** What only a person can move: said once, on standard error. */
const needsPerson = ({ rollout }: Seen): string | null => {
  const name = rollout.id;
  if (rollout.state === 'Halted') return `halted: ${rollout.message}; resume, abort or roll back ${name}`;
  const asking = rollout.waves.find(({ state }) => state === 'AwaitingApproval');
  if (asking !== undefined) {
    const evidence =
      rollout.waiting.find(({ reason }) => reason === 'AwaitingApproval')?.evidence ?? 'not approved yet';
    return `wave ${asking.name} waits for an approval (${evidence}): rollout approve ${name} --wave ${asking.name}`;
  }
  if (rollout.state === 'Preflight' && rollout.reason === PREFLIGHT_FAILED)
    return `${name} is held before its first change, clusters would refuse it: ${rollout.message}; mend them, skip them, or abort it: rollout explain ${name}`;
  if (rollout.waiting.some(({ reason }) => reason === 'TooManyDeletions'))
    return `${name} waits because it would delete more objects than the limit: rollout approve ${name} --deletions`;
  return rollout.paused === null ? null : `${name} is paused by ${rollout.paused.by}: rollout resume ${name}`;
};

const hasEnded = ({ rollout }: Seen): boolean => TERMINAL_STATES.has(rollout.state);

/** Shows a rollout to its end. @throws {CliError} when the time is over (status 4), or it was interrupted */
export const waitForEnd = async (client: ApiClient, io: CliIo, id: string, options: WaitOptions): Promise<Seen> => {
  const timeout = options.timeoutMs === null ? null : AbortSignal.timeout(options.timeoutMs);
  const show = viewer(io, options);
  let last: Seen | null = null;
  let said = '';
  const signal = timeout === null ? io.signal : AbortSignal.any([io.signal, timeout]);
  for await (const seen of rolloutChanges(client, io, id, signal)) {
    show(last, seen);
    last = seen;
    const notice = needsPerson(seen) ?? '';
    if (notice !== '' && notice !== said) io.err(`${printable(notice)}\n`);
    said = notice;
    if (options.until?.(seen) === true) return seen;
  }
  if (last !== null && hasEnded(last)) return last;
  if (io.signal.aborted) throw new CliError('interrupted; the rollout goes on', { code: 'Interrupted' });
  throw new CliError(
    `the time-out has passed; the rollout is ${last === null ? 'unknown' : stateOf(last.rollout)} and goes on`,
    { code: 'TimedOut', status: EXIT.timedOut, remedy: `See why: rollout explain ${id}` },
  );
};
