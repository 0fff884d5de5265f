import { normalizePath } from './schema/fields.ts';

/** An Application document as far as its place and its source are concerned. */
export interface SourceClaim {
  readonly file: string;
  /** As written. */
  readonly path: string;
}

export interface SourceOwnership<Claim extends SourceClaim> {
  /** Whether the file belongs to an application, and so is never read as a fleet document. */
  readonly owns: (file: string) => boolean;
  /** Claims that are not honoured: they take in their own document, directly or around a circle of others. */
  readonly contradictory: ReadonlySet<Claim>;
}

export const isBelow = (file: string, folder: string): boolean => folder === '' || file.startsWith(`${folder}/`);

type State = 'open' | 'honoured' | 'owned';

/**
 * Decides which files are applications' own. An Application that is itself among another application's files is no fleet
 * document, and its claim is void; whose claim counts is settled from those that nobody claims on. The order of the claims
 * does not matter.
 */
export const ownSources = <Claim extends SourceClaim>(claims: readonly Claim[]): SourceOwnership<Claim> => {
  const folders = new Map<Claim, string>();
  for (const claim of claims) {
    const folder = normalizePath(claim.path);
    // The whole tree, and a path that leaves it, claim nothing; the schema says what is wrong with them.
    if (folder !== null && folder !== '') folders.set(claim, folder);
  }
  const contradictory = new Set([...folders].filter(([claim, folder]) => isBelow(claim.file, folder)).map(([c]) => c));
  const states = new Map<Claim, State>();
  for (const claim of folders.keys()) if (!contradictory.has(claim)) states.set(claim, 'open');
  const claimants = claimantsOf(states, folders);
  for (let changed = true; changed;) {
    changed = false;
    for (const [claim, state] of states) {
      if (state !== 'open') continue;
      const above = (claimants.get(claim) ?? []).map((other) => states.get(other));
      const next = above.includes('honoured') ? 'owned' : above.includes('open') ? 'open' : 'honoured';
      if (next === 'open') continue;
      states.set(claim, next);
      changed = true;
    }
  }
  for (const [claim, state] of states) if (state === 'open') contradictory.add(claim);
  const honoured = new Set<string>();
  for (const [claim, state] of states) if (state === 'honoured') honoured.add(folders.get(claim) ?? '');
  return { owns: (file) => foldersAbove(file).some((folder) => honoured.has(folder)), contradictory };
};

const foldersAbove = (file: string): string[] => {
  const above: string[] = [];
  for (let at = file.indexOf('/'); at >= 0; at = file.indexOf('/', at + 1)) above.push(file.slice(0, at));
  return above;
};

/** For each claim, the other claims whose folder its document is in. */
const claimantsOf = <Claim extends SourceClaim>(
  states: ReadonlyMap<Claim, State>,
  folders: ReadonlyMap<Claim, string>,
): ReadonlyMap<Claim, readonly Claim[]> => {
  const byFolder = new Map<string, Claim[]>();
  for (const claim of states.keys()) {
    const folder = folders.get(claim) ?? '';
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), claim]);
  }
  const found = new Map<Claim, readonly Claim[]>();
  for (const claim of states.keys())
    found.set(
      claim,
      foldersAbove(claim.file).flatMap((folder) => byFolder.get(folder) ?? []),
    );
  return found;
};
