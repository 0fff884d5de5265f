/** Text from the server is shown as text: nothing in it can move the cursor or change the terminal. */
export const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out here
  text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ');

const CODES = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

export const paintFor = (coloured: boolean): Paint =>
  coloured ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_colour, text) => text;

const GOOD = new Set(['Succeeded', 'Ready', 'Synced', 'Good', 'Active']);
const BAD = new Set([
  'Failed',
  'Halted',
  'RollbackFailed',
  'Unreachable',
  'Refused',
  'Replaced',
  'Invalid',
  'Bad',
  'Rejected',
]);
const CARE = new Set([
  'RollingBack',
  'RolledBack',
  'Incomplete',
  'Aborted',
  'Held',
  'Removed',
  'Superseded',
  'Skipped',
  'AwaitingApproval',
  'Quarantined',
]);
const MOVING = new Set(['Progressing', 'Preflight', 'Planned', 'Applying', 'Verifying', 'Soaking', 'Prefetching']);

/** The colour of a state; null: none. */
export const colourOf = (state: string): Colour | null => {
  const word = state.split(' ')[0] ?? '';
  if (state.includes('(paused)') || CARE.has(word)) return 'yellow';
  if (GOOD.has(word)) return 'green';
  if (BAD.has(word)) return 'red';
  return MOVING.has(word) ? 'cyan' : null;
};
