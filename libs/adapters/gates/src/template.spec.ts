import * as fc from 'fast-check';
import type { TemplateValues } from './template.ts';
import { asPromqlString, asText, asUrlComponent, fillTemplate, isPerCluster } from './template.ts';

const values: TemplateValues = {
  cluster: 'eu-1',
  region: 'eu-west-1',
  application: 'shop',
  fleet: 'production',
  namespace: 'shop-system',
  commit: 'c0ffee',
  wave: 'canary',
};

describe('templates', () => {
  it('replace exact tokens, and leave the braces of PromQL alone', () => {
    const query = 'sum by (le) (x{cluster="{cluster}",ns=~"{namespace}",a="{ cluster }",b="{unknown}"})';
    expect(fillTemplate(query, values, asText)).toBe(
      'sum by (le) (x{cluster="eu-1",ns=~"shop-system",a="{ cluster }",b="{unknown}"})',
    );
  });

  it('look at no value again', () => {
    expect(fillTemplate('{cluster}', { ...values, cluster: '{region}$&' }, asText)).toBe('{region}$&');
  });

  it('know what differs from cluster to cluster', () => {
    expect(isPerCluster('a', 'b {cluster}')).toBe(true);
    expect(isPerCluster('{region}')).toBe(true);
    expect(isPerCluster('{application} {wave}')).toBe(false);
  });

  it('keep whatever a value holds inside of its place in an address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (cluster) => {
        const text = fillTemplate(
          'https://{cluster}.example.com/a/{cluster}/b',
          { ...values, cluster: `x${cluster}` },
          asUrlComponent,
        );
        if (!URL.canParse(text)) return;
        const url = new URL(text);
        expect(url.hostname.endsWith('.example.com')).toBe(true);
        expect(url.pathname.split('/')).toHaveLength(4);
        expect(url.search + url.hash + url.username).toBe('');
      }),
    );
  });

  it('keep whatever a value holds inside of its PromQL string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (cluster) => {
        const escaped = fillTemplate('{cluster}', { ...values, cluster }, asPromqlString);
        expect(escaped).not.toMatch(/["'`\n]/);
        // No backslash is left over to escape the quote that follows.
        expect((/\\*$/.exec(escaped)?.[0].length ?? 0) % 2).toBe(0);
      }),
    );
  });
});
