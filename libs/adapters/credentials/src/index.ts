export { ClusterCredentials } from './cluster-credentials.ts';
export { DirectoryCredentialStore } from './directory-credential-store.ts';
export { DirectoryRepositoryCredentials } from './directory-repository-credentials.ts';
export { RecordCredentialStore } from './record-credential-store.ts';
