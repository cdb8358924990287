// Every regular expression of the code either takes time in proportion to its input, which is tried
// here with the inputs that would make it not, or never sees anything from outside. A pattern that is
// in neither list fails this test: whoever writes one says what it would choke on.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { listFiles, ROOT, readTexts } from '../support/repository-text.ts'
import { FACTOR, isLinear, measureGrowth } from './doubling.ts'
import { ERRORS, HASHES, MAILS, WEBHOOKS } from './other-patterns.ts'
import type { Attack } from './pattern-input.ts'
import { BODIES, CERTIFICATES, HEADERS } from './request-patterns.ts'
import { findPatterns, patternsIn } from './source-patterns.ts'

const INPUTS = [BODIES, HEADERS, CERTIFICATES, HASHES, WEBHOOKS, MAILS, ERRORS]
const TRIED = Object.assign({}, ...INPUTS.map(({ patterns }) => patterns)) as Readonly<
  Record<string, readonly Attack[]>
>

/** By the beginning of the file's name: what its patterns are given, which is not from outside. */
const WITHIN: Readonly<Record<string, string>> = {
  'packages/conformance/': 'what another service answers to the operator who examines it',
  'embedded/': 'files and processes of this machine',
  'config/': 'the environment of the process',
  'wiring/open-service.ts': 'the issuer, of the environment',
  'dpop/proof-target.ts /[\\w.~-]/': 'one character',
  'http/verify/verify-target.ts': 'the issuer, of the environment',
  'http/server/api-files.ts': 'our own files, and the issuer, of the environment',
  'http/server/index-route.ts': 'our own routes',
  'mail/mail-templates.ts': 'templates of the operator, and a user name and a link',
  'database/': 'codes and messages of our own database',
  'wiring/open-family-store.ts': 'messages of our own Redis',
  'redis/redis-failure.ts': 'messages of our own Redis',
  'families/redis/redis-slot.ts': 'what our own Redis says of its cluster',
  'redis/redis-server-check.ts': 'what our own Redis says of itself',
  'oauth/oauth-error.ts': 'our own descriptions',
  'runtime/native-packages.ts': 'what the loader says of our own packages',
  'users/password-schemes/hash-text.ts /=+$/': 'the base64 of at most 66 bytes',
  'users/password-work/argon2-work.ts': 'names of our own',
  'ops/log-format.ts /T(': 'the time of our own line',
  'ops/logger.ts /[-_]/g': 'names of fields',
  'ops/logger.ts /password|': 'names of fields',
  'ops/logger.ts new RegExp': 'lines of the log: tried with those in readers.test.ts',
  'cli/add-command.ts': 'arguments of the command',
  'cli/command-output.ts /[A-Z]/g': 'names of our own members',
  'cli/program.ts': 'arguments of the command',
  'cli/doctor/': 'what our own servers and our own public address answer, bounded in length',
  'cli/top/': 'what the service answers that is looked at, bounded in size, and numbers of our own',
  'cli/drill/': 'names of keys in our own Redis',
}

/** In Lua, whose patterns cannot repeat a group: what each sees. */
const OF_REDIS: Readonly<Record<string, string>> = {
  '[^:]*$': 'a key of ours',
  '[^:]+': 'an address, of 39 characters at most',
  '^(%S*) (%S*)$': 'who ended a session that is not known: an id and a hash of ours',
  '^(.-)::(.*)$': 'an address',
  '^(%d+) (%d+)$': 'a counter of ours',
  '^(%d+) (.*)$': 'a counter of ours and an address',
  '(%d+) %S+ (%d+) ([^%s,]*),': 'the log of epochs in a record, which has 32 entries',
  ' ([^%s,]+),$': 'the same',
  '%S+': 'scopes and audiences of a grant, which a client of ours lists',
}

const SIZE = 4_096

function isWithin(place: string): boolean {
  return Object.keys(WITHIN).some((start) => place.startsWith(start))
}

test('every pattern is tried, or is given nothing from outside', async (t) => {
  const found = findPatterns()
  const places = found.map(({ file, text }) => `${file} ${text}`)
  const unknown = found
    .filter(({ text }, index) => !TRIED[text] && !isWithin(places[index] ?? ''))
    .map(({ file, text }) => `${file} ${text}`)
  t.strictSame(unknown, [], 'patterns that are in neither list')
  const texts = new Set(found.map(({ text }) => text))
  t.strictSame(
    Object.keys(TRIED).filter((text) => !texts.has(text)),
    [],
    'patterns that nobody uses any more',
  )
  t.strictSame(
    Object.keys(WITHIN).filter((start) => !places.some((place) => place.startsWith(start))),
    [],
    'places without a pattern',
  )
})

test('what each kind of patterns is given ends where the list says, and is tried at that length', async (t) => {
  for (const { what, bound } of INPUTS) {
    t.ok(readFileSync(join(ROOT, bound.where), 'utf8').includes(bound.says), what)
    t.ok(bound.bytes <= SIZE * FACTOR, `${what}: ${bound.bytes} bytes are tried`)
  }
})

test('a new pattern is found, however it is written', async (t) => {
  const found = patternsIn(`
    const text = '/no pattern/' + 8 / 2 / 1 // nor /this/
    text.match(/a+/u); text.split(/b/); new RegExp(made); RegExp('c'); text.search(given)
    text.match('d'); other.matchAll(\`e\${text}\`); text.replace('f', /g/)
  `)
  t.strictSame([...found].sort(), [
    '/a+/u',
    '/b/',
    '/g/',
    "match 'd'",
    ['matchAll `e$', '{text}`'].join(''),
    'new RegExp',
    'new RegExp',
    'search given',
  ])
})

test('what Redis is given to match is bounded, and no pattern of it repeats within what it repeats', async (t) => {
  const scripts = listFiles().filter((path) => path.startsWith('src/') && path.endsWith('.lua'))
  const seen = new Set<string>()
  for (const { text } of readTexts(scripts)) {
    for (const [, pattern = ''] of text.matchAll(
      /string\.g?(?:match|sub|find)\([^\n]*?'([^'\n]*[%*+-][^'\n]*)'/g,
    )) {
      seen.add(pattern)
    }
  }
  t.strictSame([...seen].sort(), Object.keys(OF_REDIS).sort())
})

test('a pattern that is not linear is seen to be so', async (t) => {
  const blanks = /[ \t]+$/
  const { large, most } = await measureGrowth(1024, (size) => blanks.test(`${' '.repeat(size)}a`))
  t.ok(large > most, `${large.toFixed(2)} ms of at most ${most.toFixed(2)} ms`)
})

for (const [text, attacks] of Object.entries(TRIED)) {
  test(`${text} takes time in proportion to its input`, async (t) => {
    const end = text.lastIndexOf('/')
    const pattern = new RegExp(text.slice(1, end), text.slice(end + 1))
    for (const [start, pump, tail] of attacks) {
      const what = JSON.stringify([start, pump, tail])
      await isLinear(t, what, SIZE, (size) => {
        pattern.lastIndex = 0
        const input = `${start}${pump.repeat(Math.ceil(size / pump.length))}${tail}`
        if (pattern.global) input.replaceAll(pattern, '')
        else pattern.test(input)
      })
    }
  })
}
