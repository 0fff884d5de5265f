import type { WireRollout, WireTarget } from '@breakwater/platform';
import { setTimeout as delay } from 'node:timers/promises';
import type { BreakwaterProcess } from './breakwater-process.ts';
import { type Colour, printable, type Teller } from './teller.ts';

const LOOK_EVERY = 150;
const SPINNER = ['◐', '◓', '◑', '◒'];

const MARKS: Readonly<Record<string, readonly [Colour, string]>> = {
  Pending: ['grey', '·'],
  Succeeded: ['green', '●'],
  Failed: ['red', '✗'],
  Unreachable: ['red', '?'],
  Skipped: ['grey', '–'],
  RollingBack: ['yellow', '↺'],
  RolledBack: ['yellow', '○'],
  RollbackFailed: ['red', '✗'],
};

const END: ReadonlySet<string> = new Set([
  'Succeeded',
  'Incomplete',
  'Halted',
  'RolledBack',
  'RollbackFailed',
  'Aborted',
  'Superseded',
  'Rejected',
]);

export interface WatchOptions {
  /** Longer, and the story is not what it should be. */
  readonly timeoutMs: number;
  /** Called when a wave is in a new state, before anything later is looked at. */
  readonly onWave?: (name: string, state: string) => Promise<void>;
}

/** Tells what happens until the rollout's end, or until its time is over; returns it as it then is. */
export const watchRollout = async (
  teller: Teller,
  breakwater: BreakwaterProcess,
  id: string,
  options: WatchOptions,
): Promise<WireRollout> => {
  const deadline = performance.now() + options.timeoutMs;
  let before: Seen | null = null;
  const told = new Set<string>();
  for (let frame = 0; ; frame += 1) {
    const [rollout, targets] = await Promise.all([breakwater.rollout(id), breakwater.targets(id)]);
    const seen = { rollout, targets };
    const over = END.has(rollout.state) || performance.now() > deadline;
    for (const { name, state } of rollout.waves) {
      if (before?.rollout.waves.find((wave) => wave.name === name)?.state !== state)
        await options.onWave?.(name, state);
    }
    for (const event of changes(teller, before, seen)) teller.event(event);
    for (const event of await newFailures(teller, breakwater, rollout, told)) teller.event(event);
    if (!over)
      teller.board([
        '',
        ...rollout.waves.map((wave) => waveLine(teller, wave, targets, frame)),
        waitingLine(teller, rollout),
      ]);
    before = seen;
    if (over) return rollout;
    await delay(LOOK_EVERY);
  }
};

interface Seen {
  readonly rollout: WireRollout;
  readonly targets: readonly WireTarget[];
}

const waveLine = (
  teller: Teller,
  wave: WireRollout['waves'][number],
  targets: readonly WireTarget[],
  frame: number,
): string => {
  const marks = targets
    .filter((target) => target.wave === wave.name)
    .map(({ state }) => {
      const [colour, mark] = MARKS[state] ?? ['cyan', SPINNER[frame % SPINNER.length] ?? '◐'];
      return teller.paint(colour, mark);
    });
  return `     ${wave.name.padEnd(10)} ${marks.join(' ')}  ${teller.paint('grey', wave.state)}`;
};

const waitingLine = (teller: Teller, rollout: WireRollout): string => {
  const [first] = rollout.waiting;
  if (first === undefined) return '';
  const where = first.cluster === null ? '' : ` ${first.cluster}`;
  return teller.paint('grey', `     waiting:${where} ${printable(first.evidence)}`.slice(0, 100));
};

const changes = (teller: Teller, before: Seen | null, { rollout, targets }: Seen): readonly string[] => {
  const lines: string[] = [];
  // A rollback goes the other way.
  const waves = rollout.waves.some(({ state }) => state === 'RolledBack') ? rollout.waves.toReversed() : rollout.waves;
  for (const wave of waves) {
    const was = before?.rollout.waves.find(({ name }) => name === wave.name)?.state ?? 'Pending';
    if (was !== wave.state) lines.push(...waveChange(teller, wave));
  }
  for (const target of targets) {
    const was = before?.targets.find(({ cluster }) => cluster === target.cluster)?.state ?? 'Pending';
    if (was === target.state) continue;
    if (was === 'RollingBack' && target.state === 'RolledBack') {
      lines.push(`${teller.paint('yellow', '○')} ${target.cluster} is back where it was`);
    }
    if (target.state === 'RollbackFailed') lines.push(failure(teller, target));
  }
  if (before?.rollout.state !== rollout.state) lines.push(...rolloutChange(teller, rollout));
  return lines;
};

/** A target that failed is on its way back at once: what was wrong with it is in the audit trail. */
const newFailures = async (
  teller: Teller,
  breakwater: BreakwaterProcess,
  rollout: WireRollout,
  told: Set<string>,
): Promise<readonly string[]> => {
  if (rollout.waves.every(({ counts }) => counts.failed === 0)) return [];
  const events = await breakwater.failures(rollout.id);
  const fresh = events.filter(({ cluster }) => cluster !== null && !told.has(cluster));
  for (const { cluster } of fresh) told.add(cluster ?? '');
  return fresh.map(({ cluster, message, data }) => {
    const evidence = typeof data['evidence'] === 'string' ? data['evidence'] : message;
    const text = printable(evidence).slice(0, 160);
    return `${teller.paint('red', '✗')} ${teller.paint('bold', cluster ?? '')} failed: ${text}`;
  });
};

const failure = (teller: Teller, { cluster, message }: WireTarget): string =>
  `${teller.paint('red', '✗')} ${teller.paint('bold', cluster)} failed: ${printable(message)}`;

const waveChange = (teller: Teller, { name, state, counts }: WireRollout['waves'][number]): readonly string[] => {
  const wave = `wave ${teller.paint('bold', name)}`;
  const clusters = `${counts.total} cluster${counts.total === 1 ? '' : 's'}`;
  if (state === 'Progressing') return [`${teller.paint('cyan', '▸')} ${wave} starts: ${clusters}`];
  if (state === 'Soaking') return [`${teller.paint('cyan', '▸')} ${wave} is verified, and is watched for a while`];
  if (state === 'Succeeded') return [`${teller.paint('green', '●')} ${wave} passed its gates: ${clusters}`];
  if (state === 'Failed') {
    const what = counts.failed === 0 ? 'did not pass a gate' : `failed on ${counts.failed} of ${clusters}`;
    return [`${teller.paint('red', '✗')} ${wave} ${what}`];
  }
  return state === 'RolledBack' ? [`${teller.paint('yellow', '○')} ${wave} is rolled back`] : [];
};

const rolloutChange = (teller: Teller, { state, message }: WireRollout): readonly string[] => {
  if (state === 'RollingBack') return [`${teller.paint('yellow', '↺')} ${printable(message)}`];
  if (!END.has(state)) return [];
  const colour: Colour = state === 'Succeeded' ? 'green' : state === 'RolledBack' ? 'yellow' : 'red';
  return [`${teller.paint(colour, state)}: ${printable(message)}`];
};
