import type { RenderedBundle, RenderError, RenderRequest, RenderResult } from '@breakwater/application';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LocalRendererOptions } from './renderer.ts';
import { LocalRenderer } from './renderer.ts';

/** A tree on disk and a renderer with the real tools. */
export class RenderFixture {
  readonly root = mkdtempSync(join(tmpdir(), 'breakwater-rendered-'));
  readonly dir = join(this.root, 'tree');
  readonly workDir = join(this.root, 'work');
  readonly renderer: LocalRenderer;

  constructor(charts: Partial<LocalRendererOptions['charts']> = {}) {
    mkdirSync(this.dir);
    this.renderer = new LocalRenderer({
      workDir: this.workDir,
      charts: { cacheDir: join(this.root, 'charts'), ...charts },
    });
  }

  write(files: Readonly<Record<string, string | Buffer>>): this {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.dir, path)), { recursive: true });
      writeFileSync(join(this.dir, path), content);
    }
    return this;
  }

  link(path: string, target: string): this {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    symlinkSync(target, join(this.dir, path));
    return this;
  }

  render(request: Partial<RenderRequest> = {}): Promise<RenderResult> {
    return this.renderer.render({
      application: 'podinfo',
      dir: this.dir,
      path: 'app',
      namespace: 'shop',
      kubeVersion: '1.36.3',
      ...request,
    });
  }

  async bundle(request: Partial<RenderRequest> = {}): Promise<RenderedBundle> {
    const result = await this.render(request);
    if (!result.ok) throw new Error(JSON.stringify(result.errors, null, 1));
    return result;
  }

  async errors(request: Partial<RenderRequest> = {}): Promise<readonly RenderError[]> {
    const result = await this.render(request);
    if (result.ok) throw new Error(`it rendered: ${JSON.stringify(result.objects)}`);
    return result.errors;
  }

  async error(request: Partial<RenderRequest> = {}): Promise<RenderError> {
    const errors = await this.errors(request);
    const [error] = errors;
    if (error === undefined || errors.length > 1) throw new Error(JSON.stringify(errors, null, 1));
    return error;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const configMap = (name: string, data: string, metadata = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${metadata}data:\n  value: ${data}\n`;
