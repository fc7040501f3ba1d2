import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { projectRoot } from '../../src/config/index.js';
import { SETTINGS } from '../../src/config/settings.js';

const read = (name: string) => readFileSync(path.join(projectRoot, name), 'utf8');

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Readonly<Record<string, unknown>>[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
    readonly selector: { readonly matchLabels: object };
  } & Readonly<Record<string, unknown>>;
}

const KUBERNETES = 'ops/kubernetes';
const files = readdirSync(path.join(projectRoot, KUBERNETES)).filter((file) => file !== 'kustomization.yaml');
const manifests = files.flatMap((file) =>
  parseAllDocuments(read(`${KUBERNETES}/${file}`)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  }),
);
const manifest = (kind: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind);
  if (!found) throw new Error(`no ${kind}`);
  return found;
};

/** Instructions, with lines that go on put together; comments are left out. */
const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
const last = (name: string) => instructions.findLast((each) => each.name === name)?.rest ?? '';

describe('the image', () => {
  it('runs node itself, as nobody in particular, and says how it is stopped and whether it is well', () => {
    expect(last('USER')).toBe('node');
    expect(JSON.parse(last('CMD'))).toEqual(['node', 'dist/main.js']);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    const check = JSON.parse(last('HEALTHCHECK').replace(/^.*CMD /, '')) as string[];
    expect(check.slice(0, 2)).toEqual(['node', '-e']);
    expect(check[2]).toContain('/api/v1/health/ready');
    // Nothing behind the user is done as root any more.
    const user = instructions.findIndex(({ name }) => name === 'USER');
    expect(instructions.slice(user).map(({ name }) => name)).not.toContain('RUN');
  });

  it('holds no secret, and copies only what is there and let through', () => {
    const set = instructions.filter(({ name }) => name === 'ENV' || name === 'ARG').map(({ rest }) => rest);
    for (const [name, { secret }] of Object.entries(SETTINGS as Record<string, { secret?: unknown }>))
      if (secret) expect(set.join(' ')).not.toContain(name);
    const passed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const copied = instructions.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'));
    for (const source of copied.flatMap(({ rest }) => rest.split(' ').slice(0, -1))) {
      expect(existsSync(path.join(projectRoot, source))).toBe(true);
      expect(passed).toContain(`!${source}`);
    }
  });
});

describe('the Kubernetes manifests', () => {
  it('are all listed, and of the kinds that are stable', () => {
    const { resources } = parse(read(`${KUBERNETES}/kustomization.yaml`)) as { readonly resources: readonly string[] };
    expect([...resources].sort()).toEqual([...files].sort());
    expect(manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).sort()).toEqual([
      'apps/v1 Deployment',
      'autoscaling/v2 HorizontalPodAutoscaler',
      'batch/v1 Job',
      'policy/v1 PodDisruptionBudget',
      'v1 ConfigMap',
      'v1 PersistentVolumeClaim',
      'v1 Service',
    ]);
  });

  it.each(['Deployment', 'Job'])('let the pods of the %s do as little as possible', (kind) => {
    const { spec } = manifest(kind).spec.template;
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
      const { version } = JSON.parse(read('package.json')) as { readonly version: string };
      expect(container.image).toBe(`live-tables-backend:${version}`);
    }
  });

  it('ask the right routes, and leave time for a stop', () => {
    const { spec } = manifest('Deployment').spec.template;
    const [server] = spec.containers;
    const path = (probe: string) => (server?.[probe] as { httpGet: { path: string } }).httpGet.path;
    // A database that is down must restart nothing.
    expect([path('livenessProbe'), path('startupProbe')]).toEqual(['/api/v1/health/live', '/api/v1/health/live']);
    expect(path('readinessProbe')).toBe('/api/v1/health/ready');
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(15);
  });

  it('fit together: selectors, claims, and settings that exist', () => {
    const { template } = manifest('Deployment').spec;
    for (const kind of ['Deployment', 'PodDisruptionBudget'])
      expect(template.metadata.labels).toMatchObject(manifest(kind).spec.selector.matchLabels);
    expect(template.metadata.labels).toMatchObject(manifest('Service').spec.selector);
    // The Job's pod is no server, and must get no requests.
    expect(manifest('Job').spec.template.metadata.labels).not.toMatchObject(manifest('Service').spec.selector);
    const claims = (template.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
    expect(claims).toEqual([{ claimName: manifest('PersistentVolumeClaim').metadata.name }]);
    for (const [name, setting] of Object.entries(SETTINGS as Record<string, { secret?: unknown }>))
      if (manifest('ConfigMap').data?.[name] !== undefined) expect(setting.secret).toBeUndefined();
    for (const name of Object.keys(manifest('ConfigMap').data ?? {})) expect(SETTINGS).toHaveProperty(name);
  });
});

describe('the workflow', () => {
  it('calls scripts that exist, and may only read', () => {
    const workflow = parse(read('.github/workflows/ci.yml')) as {
      readonly permissions: object;
      readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
    };
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: object };
    const runs = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    for (const [, script = ''] of runs.join('\n').matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(scripts)).toContain(script);
  });
});
