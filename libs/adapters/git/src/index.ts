export type { GitMirrorsOptions } from './git-mirrors.ts';
export { GitMirrors } from './git-mirrors.ts';
export type { RepositoryAddress, RepositoryProtocol } from './repository-url.ts';
export { parseRepositoryUrl } from './repository-url.ts';
