// The rules of the house that a compiler does not know: which folder may import which, who may
// read the environment, and how large and how named a file may be.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SRC = join(ROOT, 'src')
/** The sources of what stands beside the service; test/docs/packages.test.ts has its imports. */
const PACKAGES = readdirSync(join(ROOT, 'packages')).map((name) =>
  join(ROOT, 'packages', name, 'src'),
)
const LINES_MAX = 250

/** What lies beneath the domain and the protocol's words; generated code included. */
const BENEATH = ['runtime', 'secrets', 'database', 'generated']
const DOMAIN = ['clients', 'users', 'keys', 'families', 'factors', 'tokens']

/**
 * What each folder, those of http/ one by one, may import, as values or as types.
 * Files directly in src and those of wiring/ join everything and may import anything.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  runtime: [],
  oauth: [],
  secrets: ['runtime'],
  database: ['runtime', 'generated'],
  redis: ['runtime'],
  ops: ['runtime'],
  metrics: ['runtime', 'ops', 'admission'],
  tracing: ['runtime', 'ops', 'outbound'],
  outbound: [],
  admission: ['runtime', 'oauth'],
  throttle: [...BENEATH, 'oauth', 'redis'],
  replay: [...BENEATH, 'redis'],
  tls: ['runtime'],
  certificates: ['runtime'],
  assertions: [...BENEATH, 'oauth', 'outbound'],
  dpop: [...BENEATH, 'oauth', 'replay'],
  clients: [...BENEATH, 'oauth', 'assertions', 'certificates'],
  users: [...BENEATH, 'oauth', 'throttle'],
  families: [...BENEATH, 'oauth', 'redis', 'clients', 'users'],
  factors: [...BENEATH, 'oauth', 'throttle', 'clients', 'users'],
  keys: BENEATH,
  tokens: [...BENEATH, 'oauth', 'keys', 'families', 'clients', 'users'],
  'client-auth': [
    ...[...BENEATH, 'oauth', 'throttle', 'replay', 'assertions', 'clients', 'certificates'],
    'trust',
  ],
  grants: [...BENEATH, 'oauth', 'admission', 'throttle', 'assertions', 'trust', ...DOMAIN],
  trust: [...BENEATH, 'oauth', 'assertions', 'replay', 'clients'],
  // Who records an event needs only its type, in runtime: the domain knows of neither folder.
  events: BENEATH,
  webhooks: [...BENEATH, 'events', 'outbound'],
  mail: [...BENEATH, 'users'],

  // What HTTP and the command line change anything through; it knows neither of them.
  management: [...BENEATH, 'oauth', ...DOMAIN, 'throttle', 'trust', 'webhooks', 'mail'],

  // Files that say what there is; it compares, and changes through management alone.
  declarative: [...BENEATH, 'clients', 'users', 'trust', 'webhooks', 'management'],

  'http/server': [
    ...[...BENEATH, 'oauth', ...DOMAIN, 'management', 'grants', 'ops'],
    ...['dpop', 'tls', 'certificates', 'metrics', 'tracing'],
  ],
  'http/front': ['clients', 'ops', 'tracing', 'http/server'],
  'http/oauth': [
    ...BENEATH,
    'oauth',
    ...DOMAIN,
    'assertions',
    'dpop',
    'client-auth',
    'certificates',
    'admission',
    'grants',
    'http/server',
  ],
  'http/account': ['management', 'http/server'],
  'http/admin': [
    ...['runtime', 'database', 'client-auth', 'grants', 'clients', 'users', 'webhooks', 'events'],
    ...['trust', 'management', 'http/server'],
  ],
  'http/verify': [...BENEATH, 'oauth', ...DOMAIN, 'dpop', 'ops', 'http/server', 'http/oauth'],
  // It reads for whoever is configured, and none of them knows of it.
  config: [
    ...['runtime', 'secrets', 'redis', 'keys', 'clients', 'users', 'mail'],
    ...['tls', 'certificates', 'ops', 'tracing'],
  ],
  embedded: [...BENEATH, 'oauth', ...DOMAIN, 'ops', 'config', 'wiring'],
  // Beside the service, on the same parts.
  cli: [
    ...BENEATH,
    ...[
      ...DOMAIN,
      'client-auth',
      'grants',
      'redis',
      'throttle',
      'trust',
      'assertions',
      'events',
      'mail',
      'ops',
      'config',
      'embedded',
    ],
    ...['wiring', 'workers', 'start-service.ts', 'management', 'declarative'],
  ],
  // The processes of one instance, each of which joins all the rest as serve.ts does.
  workers: ['runtime', 'ops', 'metrics', 'config', 'http/server', 'wiring', 'app.ts'],
}

interface SourceFile {
  readonly path: string
  readonly text: string
}

function readSources(folder = SRC): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|lua|mjs)$/.test(path) && !path.startsWith('generated'))
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** The folder of a path in src, those of http/ one by one; a file directly in src is its own. */
const folderOf = (path: string): string => /^(?:http\/[^/]+(?=\/)|[^/]+)/.exec(path)?.[0] ?? ''

/** Static imports, of types too, re-exports and `import('…')` of our own files. */
function findImports({ path, text }: SourceFile): string[] {
  const statement = /(?:^(?:import|export)\b[^'";]*?|\bimport\()\s*'(\.[^']+)'/gm
  return [...text.matchAll(statement)].map(([, from = '']) =>
    relative(SRC, join(SRC, dirname(path), from)),
  )
}

test('imports point one way: http, grants, the domain, oauth; the rest lies beneath', async (t) => {
  let seen = 0
  for (const file of readSources()) {
    const folder = folderOf(file.path)
    if (folder === file.path || folder === 'wiring') continue
    const rule = MAY_IMPORT[folder]
    if (!rule) {
      t.fail(`src/${folder} has no rule`)
      continue
    }
    for (const target of findImports(file)) {
      seen += 1
      if (![folder, ...rule].includes(folderOf(target))) {
        t.fail(`${file.path} must not import ${target}`)
      }
    }
  }
  t.ok(seen > 100, 'the imports were found')
})

test('what a route or a command changes, it changes through management', async (t) => {
  // The one opens the stores for management, the other is only read.
  const exceptions = ['cli/command-stores.ts', 'keys/held-keys.ts']
  for (const file of readSources()) {
    if (!/^(cli|http\/(account|admin))$/.test(folderOf(file.path))) continue
    if (exceptions.includes(file.path)) continue
    for (const target of findImports(file)) {
      const isDomain = [...DOMAIN, 'webhooks'].includes(folderOf(target))
      const isBelow =
        isDomain && /(-(store|table|change|reader|outbox)|\/families)\.ts$/.test(target)
      if (isBelow && !exceptions.includes(target)) t.fail(`${file.path} must not import ${target}`)
    }
  }
})

test('no file imports itself by way of others, not for a type either', async (t) => {
  const imports = new Map(readSources().map((file) => [file.path, findImports(file)]))
  const done = new Set<string>()

  /** The files from the first that was met twice back to itself. */
  function findCircle(path: string, way: readonly string[]): readonly string[] | undefined {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path]
    if (done.has(path)) return undefined
    for (const target of imports.get(path) ?? []) {
      const circle = findCircle(target, [...way, path])
      if (circle) return circle
    }
    if (imports.has(path)) done.add(path)
    return undefined
  }

  for (const path of imports.keys()) {
    t.equal(findCircle(path, [])?.join(' -> '), undefined, path)
  }
  t.equal(done.size, imports.size, 'every file was visited')
})

test('the environment is read in main.ts and cli.ts alone', async (t) => {
  for (const { path, text } of [SRC, ...PACKAGES].flatMap((folder) => readSources(folder))) {
    if (path === 'main.ts' || path === 'cli.ts') continue
    if (/process\s*\.\s*env\b|from 'node:process'/.test(text))
      t.fail(`${path} reads the environment`)
  }
})

for (const folder of [SRC, ...PACKAGES]) {
  test(`in ${relative(ROOT, folder)} a file is 250 lines at most, begins with what it owns and has its name alone`, async (t) => {
    const sources = readSources(folder)
    const names = new Map<string, string>()
    for (const { path, text } of sources) {
      const lines = text.trimEnd().split('\n').length
      if (lines > LINES_MAX) t.fail(`${path} has ${lines} lines`)
      if (!/^(#!.*\n)?(\/\/|--) /.test(text)) t.fail(`${path} does not say what it owns`)
      const name = basename(path)
      if (names.has(name)) t.fail(`${path} has the name of ${names.get(name)}`)
      names.set(name, path)
      if (!/^[a-z0-9]+(-[a-z0-9]+)*\.(ts|lua|mjs)$/.test(name))
        t.fail(`${path} is not in kebab-case`)
      if (/^export (default|\* )/m.test(text)) t.fail(`${path} has a default export or is a barrel`)
    }
    t.ok(sources.length > (folder === SRC ? 50 : 15), 'the files were found')
  })
}
