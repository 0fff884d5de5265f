export type { ClusterConnectorOptions } from './cluster-connector.ts';
export { createClusterConnector, DEFAULT_TIMEOUTS } from './cluster-connector.ts';
export type { KubeconfigAllowances } from './kubeconfig.ts';
export type { Timeouts } from './transport.ts';
