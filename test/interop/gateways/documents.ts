// Configurations that are read as data because nothing here runs them, and what of them can be held
// against a running Lineage.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { parse } from 'yaml'
import type { Scene } from '../../scenes/gateway-scene.ts'
import { identityOf } from './checks.ts'
import { EXAMPLES } from './gateway-process.ts'
import { makeTokens } from './tokens.ts'

/** A request to Lineage, but for what the caller sent. */
export interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

const DEMO_ISSUER = 'http://localhost:3000'

/** Some API would read them as a path of the drafts, or of nothing. */
const DECEPTIVE_PATHS = [
  '/notes/..;/drafts/1',
  '/notes/.;a=b/1',
  '/notes/..;',
  '/notes/..%3B/drafts/1',
  '/notes/..%3b/drafts/1',
  '/notes/../drafts/1',
  '/notes/..',
  '/notes//1',
  '/notes/%2E%2e/drafts/1',
  '/notes/..%2fdrafts/1',
  '/notes/..%5Cdrafts/1',
  '/notes/..\\drafts/1',
  '/notes/1%00',
]
const PLAIN_PATHS = [
  '/notes/1',
  '/notes/a..b',
  '/notes/.hidden',
  '/notes/a%20b;c',
  '/notes/%252e/1',
]

/** With `issuer` for that of the demo. Without merges, which not every reader of YAML knows. */
export function readExample(name: string, issuer = DEMO_ISSUER): unknown {
  const text = readFileSync(join(EXAMPLES, name), 'utf8')
  return parse(text.replaceAll(DEMO_ISSUER, issuer))
}

/** The node at `path` of a document, which must be there. */
export function find(document: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => {
    const next = (node as Record<string | number, unknown>)[key]
    if (next === undefined) throw new Error(`nothing at ${path.join('.')}`)
    return next
  }, document)
}

/**
 * Of RE2 or Go's regexp, which have the flag inside; the examples use nothing else that JavaScript
 * would read in another way. With `isWhole` the pattern has to match all of a text, as in Envoy.
 */
export function toRegExp(source: string, isWhole: boolean): RegExp {
  const body = source.replace(/^\(\?i\)/, '')
  return new RegExp(isWhole ? `^(?:${body})$` : body, body === source ? '' : 'i')
}

export function checkPathPattern(t: Test, pattern: RegExp): void {
  for (const path of DECEPTIVE_PATHS) t.match(path, pattern, `${path} is refused`)
  for (const path of PLAIN_PATHS) t.notMatch(path, pattern, `${path} is not refused`)
}

export async function askLineage(
  { lineage }: Scene,
  { path, headers }: Question,
  callers: Readonly<Record<string, string>>,
): Promise<Response> {
  return await lineage.fetch(path, { headers: { ...callers, ...headers } })
}

/** Returns the names of the headers that a yes has for the API. */
export async function checkAnswers(
  t: Test,
  scene: Scene,
  { notes, drafts }: Readonly<Record<'notes' | 'drafts', Question>>,
): Promise<readonly string[]> {
  const tokens = await makeTokens(t, scene)
  const ask = (question: Question, token = '') =>
    askLineage(scene, question, { authorization: `Bearer ${token}` })
  const { access_token: token } = tokens.user
  const admitted = await ask(notes, token)
  t.equal(admitted.status, 200)
  const said = [...admitted.headers].filter(([name]) => name.startsWith('x-auth-')).sort()
  t.strictSame(said, identityOf(token))
  t.equal((await ask(notes, tokens.scopeless)).status, 403)
  t.equal((await ask(drafts, token)).status, 403)
  const elsewhere = tokens.bad['for another audience']
  for (const question of [notes, drafts]) t.equal((await ask(question, elsewhere)).status, 401)
  return said.map(([name]) => name)
}
