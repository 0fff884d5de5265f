/** Renders a kubeconfig as `kubectl config view --flatten --raw` would: one cluster, one user, one context. */
export function renderKubeconfig(spec: {
  readonly cluster: string;
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly token: string;
}): string {
  const ca = Buffer.from(spec.caPem, 'utf8').toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${spec.cluster}
    cluster:
      server: ${spec.url}
      certificate-authority-data: ${ca}
users:
  - name: ${spec.user}
    user:
      token: ${spec.token}
contexts:
  - name: ${spec.cluster}
    context:
      cluster: ${spec.cluster}
      user: ${spec.user}
current-context: ${spec.cluster}
`;
}
