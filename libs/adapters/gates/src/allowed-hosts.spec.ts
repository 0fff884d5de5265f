import * as fc from 'fast-check';
import { AllowedHosts } from './allowed-hosts.ts';

const refusal = (patterns: readonly string[], url: string): string | null =>
  new AllowedHosts(patterns).refusal(new URL(url));

describe('hosts that gates may ask', () => {
  it('are none, unless allowed', () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        expect(refusal([], url)).toContain('BREAKWATER_GATE_HOSTS');
      }),
    );
  });

  it.each([
    ['prometheus.example.com', 'https://prometheus.example.com/'],
    ['prometheus.example.com', 'http://PROMETHEUS.example.com.:9090/'],
    ['prometheus.example.com:9090', 'http://prometheus.example.com:9090/'],
    ['prometheus.example.com:443', 'https://prometheus.example.com/'],
    ['*.example.com', 'https://a.b.example.com/'],
    ['*.example.com:9090', 'http://a.example.com:9090/'],
    ['[::1]:9090', 'http://[::1]:9090/'],
    ['127.0.0.1', 'http://0x7f.1/'],
  ])('%s allows %s', (pattern, url) => {
    expect(refusal([pattern], url)).toBeNull();
  });

  it.each([
    ['prometheus.example.com', 'https://prometheus.example.com.evil.net/'],
    ['prometheus.example.com', 'https://evilprometheus.example.com/'],
    ['prometheus.example.com:9090', 'http://prometheus.example.com/'],
    ['prometheus.example.com:9090', 'http://prometheus.example.com:9091/'],
    ['*.example.com', 'https://example.com/'],
    ['*.example.com', 'https://evilexample.com/'],
    ['*.example.com', 'https://a.example.com.evil.net/'],
    ['prometheus.example.com', 'https://evil.net\\@prometheus.example.com/'],
    ['prometheus.example.com', 'https://me:secret@prometheus.example.com/'],
    ['prometheus.example.com', 'ftp://prometheus.example.com/'],
    ['prometheus.example.com', 'file:///etc/passwd'],
  ])('%s does not allow %s', (pattern, url) => {
    expect(refusal([pattern], url)).not.toBeNull();
  });

  it.each(['', '*', '*.', 'a b', 'https://a.example.com', 'a.example.com/path', 'a:b', '*.[::1]', 'a:99999999'])(
    'refuses %j as an entry',
    (pattern) => {
      expect(() => new AllowedHosts([pattern])).toThrow('BREAKWATER_GATE_HOSTS');
    },
  );

  it('never shows a password of an address', () => {
    expect(refusal(['a.example.com'], 'https://me:hunter2@a.example.com/')).not.toContain('hunter2');
  });
});
