import { readFleetDocuments } from './index.ts';

const read = (apiVersions: string) =>
  readFleetDocuments([
    {
      path: 'web.yaml',
      text: `apiVersion: breakwater.dev/v1alpha1\nkind: Application\nmetadata: { name: web }\nspec:\n  fleet: shop\n  source: { path: web, helm: { apiVersions: ${apiVersions} } }\n`,
    },
  ]);

describe('API versions for charts', () => {
  it('are taken over from the application', () => {
    const { documents, errors } = read('[v1, example.org/v1, monitoring.coreos.com/v1/ServiceMonitor]');
    expect(errors).toEqual([]);
    expect(documents[0]?.resource).toMatchObject({
      source: { helm: { apiVersions: ['v1', 'example.org/v1', 'monitoring.coreos.com/v1/ServiceMonitor'] } },
    });
  });

  it.each(['"--debug"', '"a/v1,b/v1"', '"a/b/c/d"', '""', '7'])('are refused as %s', (one) => {
    const { errors } = read(`[${one}]`);
    expect(errors).toMatchObject([{ field: 'spec.source.helm.apiVersions[0]', blocks: 'application/web' }]);
  });
});
