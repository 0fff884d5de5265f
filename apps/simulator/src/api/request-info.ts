/** What a path under an API server asks for. */
export type RequestTarget =
  | {
      readonly kind: 'resource';
      readonly group: string;
      readonly version: string;
      readonly apiVersion: string;
      readonly namespace: string | undefined;
      readonly plural: string;
      readonly name: string | undefined;
      readonly subresource: string | undefined;
    }
  | { readonly kind: 'core-versions' }
  | { readonly kind: 'groups' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'resources'; readonly apiVersion: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'health' }
  | { readonly kind: 'openapi' }
  | { readonly kind: 'unknown' };

const unknown: RequestTarget = { kind: 'unknown' };
const healthPaths = new Set(['healthz', 'livez', 'readyz']);

export function parseTarget(path: string): RequestTarget {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  const [root] = parts;
  switch (root) {
    case 'api':
      if (parts.length === 1) return { kind: 'core-versions' };
      if (parts[1] !== 'v1') return unknown;
      return parts.length === 2 ? { kind: 'resources', apiVersion: 'v1' } : resourceTarget('', 'v1', parts.slice(2));
    case 'apis': {
      const [, group, version] = parts;
      if (group === undefined) return { kind: 'groups' };
      if (version === undefined) return { kind: 'group', group };
      if (parts.length === 3) return { kind: 'resources', apiVersion: `${group}/${version}` };
      return resourceTarget(group, version, parts.slice(3));
    }
    case 'version':
      return { kind: 'version' };
    case 'openapi':
      return { kind: 'openapi' };
    default:
      return root !== undefined && healthPaths.has(root) ? { kind: 'health' } : unknown;
  }
}

function decodePart(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function resourceTarget(group: string, version: string, parts: readonly string[]): RequestTarget {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const target = { kind: 'resource', group, version, apiVersion } as const;
  // `namespaces/NAME/status` and `/finalize` are of the namespace; any other third part is a kind inside it.
  const inNamespace =
    parts[0] === 'namespaces' && parts.length >= 3 && parts[2] !== 'status' && parts[2] !== 'finalize';
  const [plural, name, subresource, ...rest] = inNamespace ? parts.slice(2) : parts;
  if (plural === undefined || rest.length > 0) return unknown;
  return { ...target, namespace: inNamespace ? parts[1] : undefined, plural, name, subresource };
}
