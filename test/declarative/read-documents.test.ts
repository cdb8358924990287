// What is refused before anything is asked of a database: each fault with its file, line and place, and never
// with what is written there.

import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import {
  DeclarationRefused,
  formatDeclarationProblem,
} from '../../src/declarative/declaration-problem.ts'
import { RESOURCES_MAX, readResources } from '../../src/declarative/read-resources.ts'

const HEAD = 'apiVersion: lineage/v1\nkind: Client\nmetadata: {name: web}\n'
const SPEC = 'spec: {name: Web, type: public, grantTypes: [refresh_token]}\n'

const read = (text: string) => readResources({ files: ['-'], stdin: Readable.from([text]) })

/** The faults as they are told; none where it is read. */
async function faultsOf(text: string): Promise<string[]> {
  try {
    await read(text)
    return []
  } catch (error) {
    if (!(error instanceof DeclarationRefused)) throw error
    return error.problems.map(formatDeclarationProblem)
  }
}

async function refuses(t: Test, text: string, ...expected: (string | RegExp)[]): Promise<void> {
  const faults = await faultsOf(text)
  t.equal(faults.length, expected.length, faults.join('\n'))
  for (const [index, fault] of faults.entries()) t.match(fault, expected[index] ?? 'nothing')
}

test('YAML, several documents, lists and JSON say the same', async (t) => {
  const yaml = await read(
    `---\n${HEAD}${SPEC}---\n# nothing but a comment\n---\n- ${(HEAD + SPEC).trim().replaceAll('\n', '\n  ')}\n`,
  )
  const { apiVersion, kind, metadata, spec } = yaml[0] ?? {}
  const json = await read(JSON.stringify({ apiVersion, kind, metadata, spec }, null, 2))
  t.equal(yaml.length, 2)
  const plain = ({ place: _, ...rest }: (typeof yaml)[number]) => rest
  t.strictSame(yaml.map(plain), [...json, ...json].map(plain))
  t.strictSame(spec, { name: 'Web', type: 'public', grantTypes: ['refresh_token'] })
})

test('anchors stand for what they name, within bounds', async (t) => {
  const one = `${HEAD}spec:\n  name: Web\n  type: public\n  grantTypes: [refresh_token]\n`
  const aliased = `${one}  scopes: &s [a, b]\n  defaultScopes: *s\n`
  t.strictSame((await read(aliased))[0]?.spec.defaultScopes, ['a', 'b'])
  await refuses(t, `${one}  scopes: &s [*s]\n`, /stdin:8: is deeper than 24 levels/)
  const many = `${one}  scopes: &s [a]\n  audiences: [${'*s,'.repeat(101)}]\n`
  await refuses(t, many, /stdin:9: has more than 100 aliases/)
  const doubled = Array.from({ length: 20 }, (_, i) => `  x${i + 1}: &x${i + 1} [*x${i}, *x${i}]\n`)
  await refuses(t, `${one}  x0: &x0 [a]\n${doubled.join('')}`, /has more than|is deeper than/)
  await refuses(t, `${one}  scopes: *nothing\n`, 'stdin:8: has an alias of nothing')
})

test('what is no YAML is refused by its line, and nothing of it is repeated', async (t) => {
  const secret = 'geheim-geheim'
  const bad = [
    `${HEAD}spec: {name: "${secret}`,
    `${HEAD}spec: [${secret}\n`,
    `${HEAD}\tspec: ${secret}\n`,
    `${HEAD}spec: !!${secret} {}\n`,
    `%YAML 1.1\n---\n${HEAD}${SPEC}`,
    `${HEAD}${SPEC}? [${secret}]\n: 1\n`,
    `${HEAD}${SPEC}${secret}: 1\n`,
    `${HEAD}spec: {name: .inf, type: public, grantTypes: []}\n`,
    secret,
    '['.repeat(200_000),
  ]
  for (const text of bad) {
    const faults = await faultsOf(text)
    t.ok(faults.length > 0, text.slice(0, 80))
    t.notMatch(faults.join(), secret)
    for (const fault of faults) t.match(fault, /^stdin:\d+:/)
  }
})

test('unknown members, repeated names and wrong values have file, line and pointer', async (t) => {
  await refuses(t, `${HEAD}${SPEC}extra: 1\n`, 'stdin:5: /extra is not known here')
  await refuses(
    t,
    `${HEAD}spec:\n  name: Web\n  name: Web\n  type: public\n  grantTypes: []\n`,
    'stdin:6: has a name twice',
  )
  await refuses(t, `${HEAD}${SPEC.replace('Web', '{a: 1}')}`, 'stdin:4: /spec/name must be string')
  const wrong = `${HEAD}spec:\n  name: Web\n  type: open\n  grantTypes:\n    - refresh_token\n    - magic\n  colour: red\n`
  await refuses(
    t,
    wrong,
    'stdin:10: /spec/colour is not known here',
    'stdin:6: /spec/type must be one of confidential, public',
    /^stdin:9: \/spec\/grantTypes\/1 must be one of password/,
  )
  await refuses(
    t,
    `kind: Server\n`,
    'stdin:1: /kind must be one of TrustedIssuer, Client, User, Webhook',
  )
  await refuses(t, `${HEAD}`, 'stdin:1: /spec is required')
  const other = HEAD.replace('lineage/v1', 'lineage/v2')
  await refuses(t, `${other}${SPEC}`, 'stdin:1: /apiVersion must be lineage/v1')
})

test('a secret in a file is refused, with the place where it belongs', async (t) => {
  const secret = 'geheim-geheim-geheim-geheim-geheim'
  const user =
    'apiVersion: lineage/v1\nkind: User\nmetadata: {name: ada}\nspec:\n  email: a@example.com\n'
  const cases: [string, RegExp][] = [
    [`${user}  password: ${secret}\n`, /stdin:6: \/spec\/password .*users come without one/],
    [`${user}  passwordHash: ${secret}\n`, /\/spec\/passwordHash .*users come without one/],
    [
      `${HEAD}spec: {name: W, type: public, grantTypes: [], clientSecret: ${secret}}\n`,
      /\/spec\/clientSecret .*secretFrom/,
    ],
    [`${HEAD}${SPEC}secret: ${secret}\n`, /\/secret .*secretFrom/],
    [`${HEAD}${SPEC}secretFrom: ${secret}\n`, /\/secretFrom must be \{file: …\} or \{env: …\}/],
    [
      `${HEAD}${SPEC}secretFrom: {file: a, env: B}\n`,
      /\/secretFrom must be \{file: …\} or \{env: …\}/,
    ],
    [`${HEAD}${SPEC}secretFrom: {value: ${secret}}\n`, /\/secretFrom\/value is not known here/],
  ]
  for (const [text, expected] of cases) {
    const faults = (await faultsOf(text)).join('\n')
    t.match(faults, expected)
    t.notMatch(faults, secret)
  }
})

test('files that are not there, too large or too many are refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lineage-documents-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const large = join(folder, 'large.yaml')
  await writeFile(large, `# ${'x'.repeat(1024 * 1024)}\n`)
  const binary = join(folder, 'binary.yaml')
  await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]))
  const missing = join(folder, 'missing.yaml')
  const refused = await readResources({
    files: [large, binary, missing, folder, '/dev/zero'],
  }).catch((error: unknown) => error)
  if (!(refused instanceof DeclarationRefused)) throw refused
  t.strictSame(refused.problems.map(formatDeclarationProblem), [
    `${large}:1: has more than 1048576 bytes`,
    `${binary}:1: is not UTF-8`,
    `${missing}:1: cannot be read (ENOENT)`,
    `${folder}:1: cannot be read (EISDIR)`,
    `/dev/zero:1: has more than 1048576 bytes`,
  ])
  const one = { apiVersion: 'lineage/v1', kind: 'User', spec: { email: 'a@example.com' } }
  const many = (count: number) =>
    JSON.stringify(
      Array.from({ length: count }, (_, i) => ({ ...one, metadata: { name: `u${i}` } })),
    )
  t.equal((await read(many(RESOURCES_MAX))).length, RESOURCES_MAX)
  await refuses(t, many(RESOURCES_MAX + 1), /has more than 2000 resources/)
})

test('whatever is written, it is read or refused', async (t) => {
  const example = readFileSync('deploy/declarative/lineage.yaml', 'utf8')
  const parts = [
    '&a ',
    '*a',
    '!!x ',
    '{',
    '[',
    ']',
    ': ',
    '- ',
    '\n',
    '\t',
    '"',
    '|',
    '? ',
    '---\n',
    '\0',
  ]
  const cut = fc.tuple(fc.nat(example.length), fc.nat(40), fc.constantFrom(...parts))
  const texts = fc
    .array(cut, { minLength: 1, maxLength: 6 })
    .map((cuts) =>
      cuts.reduce(
        (text, [at, length, part]) => text.slice(0, at) + part + text.slice(at + length),
        example,
      ),
    )
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      for (const fault of await faultsOf(text)) if (!/^stdin:\d+:/.test(fault)) return false
      return true
    }),
    { numRuns: 200 },
  )
  t.pass('nothing else was thrown')
})
