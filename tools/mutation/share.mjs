/** What a report of Stryker's comes to, folder by folder. */

const CAUGHT = new Set(['Killed', 'Timeout']);
const MISSED = new Set(['Survived', 'NoCoverage']);
const SOURCES = 'libs/domain/src/';

/** `caught` of `counted`; `ignored`: left out, or not a valid program. */
const emptyTally = () => ({ counted: 0, caught: 0, ignored: 0 });

const folderOf = (file) => (file.startsWith(SOURCES) ? file.slice(SOURCES.length).split('/')[0] : file);

/** `{ folders: Map<name, tally>, all: tally, survivors: [{ place, mutator, before, after, status }] }`, of files under `paths`. */
export function sumUp(report, paths) {
  const folders = new Map();
  const all = emptyTally();
  const survivors = [];
  for (const [file, { mutants, source }] of Object.entries(report.files).sort()) {
    if (!paths.some((path) => file === path || file.startsWith(`${path}/`))) continue;
    const folder = folderOf(file);
    const tally = folders.get(folder) ?? emptyTally();
    folders.set(folder, tally);
    for (const mutant of mutants) {
      for (const each of [tally, all]) {
        if (CAUGHT.has(mutant.status)) each.caught++;
        if (CAUGHT.has(mutant.status) || MISSED.has(mutant.status)) each.counted++;
        else each.ignored++;
      }
      if (MISSED.has(mutant.status)) survivors.push(describeSurvivor(file, source, mutant));
    }
  }
  return { folders, all, survivors };
}

function describeSurvivor(file, source, { location: { start, end }, mutatorName, replacement, status }) {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  lines.push(lines.pop().slice(0, end.column - 1));
  lines.unshift(lines.shift().slice(start.column - 1));
  return {
    place: `${file}:${start.line}:${start.column}`,
    mutator: mutatorName,
    before: oneLine(lines.join(' ')),
    after: oneLine(replacement ?? ''),
    status: status === 'NoCoverage' ? 'no test comes here' : 'survived',
  };
}

const oneLine = (text) => {
  const short = text.replaceAll(/\s+/g, ' ');
  return short.length > 100 ? `${short.slice(0, 99)}…` : short;
};

export const percentage = ({ caught, counted }) => (counted === 0 ? '–' : `${((100 * caught) / counted).toFixed(1)} %`);
