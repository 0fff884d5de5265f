/**
 * Writes src/schema/builtin.generated.ts: the kinds and the merge schema of a real API server, as small as they
 * can be said. Run it against a server of the release that the simulator shall resemble:
 *
 *   node apps/simulator/tools/generate-builtin-tables.mjs https://127.0.0.1:6443 TOKEN
 *
 * Types are written as: s string, i integer, n number, b boolean, x integer or string, * anything,
 * D<n> structure n, A<n> structure n that is replaced whole, M:<type> map, L:<type> list that is replaced whole,
 * S:<type> set, K:<keys>:<type> list whose items are told apart by the keys.
 */
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';

const [server, token] = process.argv.slice(2);
if (!server || !token) throw new Error('usage: generate-builtin-tables.mjs SERVER TOKEN');

const get = (path, accept = 'application/json') =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept };
    // The server's certificate is made for the occasion; nothing secret is read or sent.
    request(`${server}${path}`, { headers, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    })
      .on('error', reject)
      .end();
  });

// Served by the simulator: one version of each kind, so that nothing has to be converted.
const served = new Set(
  (
    'v1 apps/v1 batch/v1 autoscaling/v2 policy/v1 networking.k8s.io/v1 rbac.authorization.k8s.io/v1 storage.k8s.io/v1 ' +
    'admissionregistration.k8s.io/v1 apiextensions.k8s.io/v1 apiregistration.k8s.io/v1 scheduling.k8s.io/v1 ' +
    'coordination.k8s.io/v1 node.k8s.io/v1 discovery.k8s.io/v1 authorization.k8s.io/v1 authentication.k8s.io/v1 ' +
    'flowcontrol.apiserver.k8s.io/v1 certificates.k8s.io/v1'
  ).split(' '),
);
const skipped = new Set(['componentstatuses', 'bindings']);

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const groups = [...(await get('/api', aggregated)).items, ...(await get('/apis', aggregated)).items];
const resources = [];
for (const group of groups) {
  for (const version of group.versions) {
    const groupVersion = group.metadata.name ? `${group.metadata.name}/${version.version}` : version.version;
    if (!served.has(groupVersion)) continue;
    for (const r of version.resources) {
      if (skipped.has(r.resource)) continue;
      resources.push({
        group: group.metadata.name ?? '',
        version: version.version,
        kind: r.responseKind.kind,
        plural: r.resource,
        singular: r.singularResource,
        namespaced: r.scope === 'Namespaced',
        verbs: r.verbs,
        ...(r.shortNames && { shortNames: r.shortNames }),
        ...(r.categories && { categories: r.categories }),
        subresources: (r.subresources ?? []).map((s) => ({
          name: s.subresource,
          kind: s.responseKind.kind,
          group: s.responseKind.group ?? '',
          version: s.responseKind.version ?? '',
          verbs: s.verbs,
        })),
      });
    }
  }
}

const { definitions } = await get('/openapi/v2');
const structures = [];
const indexOf = new Map();
const scalars = { string: 's', integer: 'i', number: 'n', boolean: 'b' };

const structure = (name) => {
  const known = indexOf.get(name);
  if (known !== undefined) return known;
  const index = structures.length;
  indexOf.set(name, index);
  const definition = definitions[name];
  const entry = { f: {} };
  structures.push(entry);
  for (const [field, schema] of Object.entries(definition.properties)) entry.f[field] = type(schema);
  if (definition.required?.length) entry.r = definition.required;
  return index;
};

const type = (schema) => {
  if (schema.$ref) {
    const name = schema.$ref.slice('#/definitions/'.length);
    const definition = definitions[name];
    if (name.endsWith('.api.resource.Quantity') || name.endsWith('.IntOrString')) return 'x';
    if (definition.type === 'object' && definition.properties) {
      const atomic = (schema['x-kubernetes-map-type'] ?? definition['x-kubernetes-map-type']) === 'atomic';
      return `${atomic ? 'A' : 'D'}${structure(name)}`;
    }
    if (definition.type && definition.type !== 'object' && !definition.properties) return type(definition);
    return '*';
  }
  if (schema.type === 'array') {
    const item = type(schema.items);
    const kind = schema['x-kubernetes-list-type'] ?? 'atomic';
    if (kind === 'map') return `K:${schema['x-kubernetes-list-map-keys'].join(',')}:${item}`;
    return kind === 'set' ? `S:${item}` : `L:${item}`;
  }
  if (schema.type === 'object') {
    if (!schema.additionalProperties) return '*';
    if (schema['x-kubernetes-map-type'] === 'atomic') return '*';
    return `M:${type(schema.additionalProperties)}`;
  }
  if (schema.format === 'int-or-string') return 'x';
  return scalars[schema.type] ?? '*';
};

const kinds = {};
for (const [name, definition] of Object.entries(definitions)) {
  for (const gvk of definition['x-kubernetes-group-version-kind'] ?? []) {
    const groupVersion = gvk.group ? `${gvk.group}/${gvk.version}` : gvk.version;
    if (!resources.some((r) => r.group === gvk.group && r.version === gvk.version && r.kind === gvk.kind)) continue;
    kinds[`${groupVersion}/${gvk.kind}`] = structure(name);
  }
}

const text = JSON.stringify({ resources, kinds, structures }).replaceAll('\\', '\\\\').replaceAll("'", "\\'");
writeFileSync(
  new URL('../src/schema/builtin.generated.ts', import.meta.url),
  `// Generated by tools/generate-builtin-tables.mjs from a real API server. Do not edit.\n` +
    `// A string, because parsing it is several times faster than evaluating the same as an expression.\n` +
    `export const builtinTablesJson =\n  '${text}';\n`,
);
