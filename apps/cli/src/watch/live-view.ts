import type { WireRollout, WireTarget } from '@breakwater/platform';
import type { CliIo } from '../cli-io.ts';
import { paintOf } from '../output/print.ts';
import { blockerLine, headerLines } from '../output/rollout-text.ts';
import { colourOf, printable } from '../output/style.ts';
import type { Paint } from '../output/style.ts';
import { cut } from '../output/table.ts';
import type { Seen } from './rollout-changes.ts';
import { wrapped } from '../output/wrap.ts';

const BAR = 24;
const SHOWN_STATES = ['Failed', 'RollbackFailed', 'Unreachable', 'Applying', 'Verifying', 'RollingBack', 'Prefetching'];

const bar = ({ counts }: WireRollout['waves'][number], paint: Paint): string => {
  const cells = (count: number) => Math.round((count / Math.max(1, counts.total)) * BAR);
  const done = cells(counts.succeeded);
  const returned = Math.min(BAR - done, cells(counts.rolledBack));
  const moving = Math.min(BAR - done - returned, cells(counts.inFlight));
  const rest = BAR - done - returned - moving;
  return `${paint('green', '█'.repeat(done))}${paint('yellow', '▓'.repeat(returned))}${paint('cyan', '▒'.repeat(moving))}${paint('grey', '░'.repeat(rest))}`;
};

const painted = (paint: Paint, state: string, width: number): string => {
  const colour = colourOf(state);
  const text = state.padEnd(width);
  return colour === null ? text : paint(colour, text);
};

const waveLines = (rollout: WireRollout, paint: Paint): string[] => {
  const names = Math.max(...rollout.waves.map(({ name }) => Math.min(name.length, 24)));
  return rollout.waves.map((wave) => {
    const { succeeded, total, failed, unreachable, rolledBack } = wave.counts;
    const extras = [
      ...(failed > 0 ? [paint('red', `${failed} failed`)] : []),
      ...(unreachable > 0 ? [paint('red', `${unreachable} unreachable`)] : []),
      ...(rolledBack > 0 ? [paint('yellow', `${rolledBack} returned`)] : []),
    ];
    const head = `  ${cut(printable(wave.name), 24).padEnd(names)}  ${bar(wave, paint)}`;
    return `${head}  ${`${succeeded}/${total}`.padStart(7)}  ${painted(paint, wave.state, 0)}${extras.length === 0 ? '' : `  ${extras.join(', ')}`}`;
  });
};

const targetLines = (targets: readonly WireTarget[], paint: Paint, most: number, width: number): string[] => {
  const shown = targets
    .filter(({ state }) => SHOWN_STATES.includes(state))
    .sort((a, b) => SHOWN_STATES.indexOf(a.state) - SHOWN_STATES.indexOf(b.state));
  const names = Math.max(0, ...shown.map(({ cluster }) => Math.min(cluster.length, 30)));
  const lines = shown.slice(0, most).map(({ cluster, state, message }) => {
    const head = `  ${cut(printable(cluster), 30).padEnd(names)}  `;
    const room = width - head.length - 14 - 2;
    return `${head}${painted(paint, state, 14)}  ${cut(printable(message), Math.max(10, room))}`;
  });
  return shown.length > most ? [...lines, paint('grey', `  and ${shown.length - most} more`)] : lines;
};

/** One frame: at most as many lines as the terminal has, none wider than it. */
export const frame = (seen: Seen, io: CliIo): string[] => {
  const paint = paintOf(io);
  const now = io.now();
  const width = Math.max(40, io.columns());
  const { rollout, targets } = seen;
  const head = [...headerLines(rollout, paint, now), '', ...waveLines(rollout, paint)];
  const room = Math.max(2, io.rows() - head.length - 6);
  const waiting = rollout.waiting
    .flatMap((blocker) => wrapped(blockerLine(blocker, now), '  ', width - 1))
    .slice(0, Math.max(2, Math.floor(room / 2)));
  const moving = targetLines(targets, paint, Math.max(1, room - waiting.length), width);
  return [
    ...head,
    ...(moving.length === 0 ? [] : ['', ...moving]),
    ...(waiting.length === 0 ? [] : ['', paint('bold', 'waiting for'), ...waiting]),
  ];
};

/** Draws frames over each other. */
export const createLiveView = (io: CliIo) => {
  let drawn = 0;
  return {
    draw: (seen: Seen): void => {
      const lines = frame(seen, io);
      const up = drawn === 0 ? '' : `\u001b[${drawn}A\u001b[0J`;
      io.out(`${up}${lines.join('\n')}\n`);
      drawn = lines.length;
    },
  };
};
