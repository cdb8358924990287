// The rules of the house that a compiler does not know: which folder may import which, who may
// read the environment, and how large and how named a file may be.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))
const LINES_MAX = 250

/** What lies beneath the domain and the protocol's words; generated code included. */
const BENEATH = ['runtime', 'secrets', 'database', 'generated']
const DOMAIN = ['clients', 'users', 'keys', 'families', 'tokens']

/**
 * Each folder, those of http/ one by one, and what it may use; `types` may only be imported as types.
 * Files directly in src and those of wiring/ join everything and may import anything.
 */
const MAY_IMPORT: Record<string, { values: string[]; types?: string[] }> = {
  runtime: { values: [] },
  oauth: { values: [] },
  secrets: { values: ['runtime'] },
  database: { values: ['runtime', 'generated'] },
  redis: { values: ['runtime'], types: ['config'] },
  ops: { values: ['runtime'] },
  clients: { values: [...BENEATH, 'oauth'] },
  users: { values: [...BENEATH, 'oauth'], types: ['config'] },
  families: { values: [...BENEATH, 'oauth', 'redis'], types: ['clients', 'users', 'config'] },
  keys: { values: [...BENEATH, 'tokens'], types: ['config'] },
  tokens: { values: [...BENEATH, 'oauth', 'keys', 'families', 'clients', 'users'] },
  'client-auth': { values: [...BENEATH, 'oauth', 'clients'] },
  grants: { values: [...BENEATH, 'oauth', ...DOMAIN] },
  // Who records an event needs only its type, in runtime: the domain knows of neither folder.
  events: { values: BENEATH },
  webhooks: { values: [...BENEATH, 'events'] },

  'http/server': {
    values: [...BENEATH, 'oauth', ...DOMAIN, 'grants', 'ops'],
  },
  'http/oauth': {
    values: [...BENEATH, 'oauth', ...DOMAIN, 'client-auth', 'grants', 'http/server'],
  },
  'http/account': { values: [...BENEATH, ...DOMAIN, 'http/server'], types: ['config'] },
  'http/admin': {
    values: [...BENEATH, ...DOMAIN, 'events', 'webhooks', 'http/account', 'http/server'],
  },
  'http/verify': { values: [...BENEATH, 'oauth', ...DOMAIN, 'ops', 'http/server', 'http/oauth'] },
  config: { values: ['runtime', 'secrets', 'clients', 'users'] },
  embedded: { values: [...BENEATH, 'oauth', ...DOMAIN, 'ops'], types: ['config', 'wiring'] },
  // It sees any service from outside, ours too, so it knows nothing of what is inside.
  conformance: { values: [] },
  // Beside the service, on the same parts.
  cli: {
    values: [
      ...BENEATH,
      ...[...DOMAIN, 'redis', 'events', 'ops', 'config', 'embedded', 'wiring', 'serve.ts'],
      ...['http/admin', 'http/account', 'http/server', 'conformance'],
    ],
  },
}

interface SourceFile {
  readonly path: string
  readonly text: string
}

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|lua|mjs)$/.test(path) && !path.startsWith('generated'))
    .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }))
}

/** The folder of a path in src, those of http/ one by one; a file directly in src is its own. */
const folderOf = (path: string): string => /^(?:http\/[^/]+(?=\/)|[^/]+)/.exec(path)?.[0] ?? ''

/** Static imports, re-exports and `import('…')` of our own files. */
function findImports({ path, text }: SourceFile): { target: string; isType: boolean }[] {
  const statement = /(?:^(?:import|export)\b(?<clause>[^'";]*?)|\bimport\()\s*'(?<from>\.[^']+)'/gm
  return [...text.matchAll(statement)].map(({ groups }) => {
    const clause = (groups?.clause ?? '').trim()
    const names = /^\{(.*)\}\s*from$/s
      .exec(clause)?.[1]
      ?.split(',')
      .filter((name) => name.trim())
    const isType =
      clause.startsWith('type ') || (names?.every((name) => /^\s*type\s/.test(name)) ?? false)
    return { target: relative(SRC, join(SRC, dirname(path), groups?.from ?? '')), isType }
  })
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
    for (const { target, isType } of findImports(file)) {
      const to = folderOf(target)
      const allowed = [folder, ...rule.values, ...(isType ? (rule.types ?? []) : [])]
      seen += 1
      if (!allowed.includes(to)) t.fail(`${file.path} must not import ${target}`)
    }
  }
  t.ok(seen > 100, 'the imports were found')
})

test('the environment is read in main.ts and cli.ts alone', async (t) => {
  for (const { path, text } of readSources()) {
    if (path === 'main.ts' || path === 'cli.ts') continue
    if (/process\s*\.\s*env\b|from 'node:process'/.test(text))
      t.fail(`${path} reads the environment`)
  }
})

test('a file is 250 lines at most, begins with what it owns and has its name alone', async (t) => {
  const sources = readSources()
  const names = new Map<string, string>()
  for (const { path, text } of sources) {
    const lines = text.trimEnd().split('\n').length
    if (lines > LINES_MAX) t.fail(`${path} has ${lines} lines`)
    if (!/^(#!.*\n)?(\/\/|--) /.test(text)) t.fail(`${path} does not say what it owns`)
    const name = basename(path)
    if (names.has(name)) t.fail(`${path} has the name of ${names.get(name)}`)
    names.set(name, path)
    if (!/^[a-z0-9]+(-[a-z0-9]+)*\.(ts|lua)$/.test(name)) t.fail(`${path} is not in kebab-case`)
    if (/^export (default|\* )/m.test(text)) t.fail(`${path} has a default export or is a barrel`)
  }
  t.ok(sources.length > 50, 'the files were found')
})
