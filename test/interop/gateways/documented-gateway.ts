// A gateway's line in docs/integrations.md says what its test has just seen.

import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { readTable } from '../../support/documented.ts'
import { ask, type Subject } from './checks.ts'
import { revokedToken } from './tokens.ts'

export interface DocumentedGateway {
  /** The first cell of its line. */
  readonly line: string
  /** The Debian packages whose versions the line names, in its order. */
  readonly packages: readonly string[]
}

/** What a gateway asks of Lineage, by the word of the table. */
const QUESTIONS: Readonly<Record<string, RegExp | undefined>> = {
  '`/verify`': /^\/verify\?/,
  '`/introspect`': /^\/introspect$/,
  'the JWKS': /^\/\.well-known\/jwks\.json$/,
  'PEM files': undefined,
}
const STATUS_WITH_REVOKED: Readonly<Record<string, number>> = {
  refused: 401,
  'passes until `exp`': 200,
}

/** Sends a revoked token and compares version, questions and answer with the line. */
export async function checkDocumented(
  t: Test,
  subject: Subject,
  { line, packages }: DocumentedGateway,
): Promise<void> {
  const { scene, present } = subject
  const documented = readTable('Gateways').get(line)
  if (!documented) throw new Error(`docs/integrations.md has no line "${line}"`)
  const versions = line.match(/\d+\.\d+/g) ?? []
  t.strictSame(packages.map(installedVersion), versions, 'versions')

  const headers = present(await revokedToken(scene))
  const { answer, arrived } = await ask(subject, { path: '/notes/1', headers })
  t.equal(answer.status, STATUS_WITH_REVOKED[documented['A revoked token'] ?? ''], 'revoked')
  t.equal(arrived === undefined, answer.status !== 200)

  const asks = documented.Asks ?? ''
  t.ok(asks in QUESTIONS, asks)
  const asked = scene.passage.received.map(({ url }) => url)
  const question = QUESTIONS[asks]
  t.equal(asked.length > 0, question !== undefined, 'whether Lineage was asked at all')
  t.strictSame([...new Set(asked.filter((url) => !question?.test(url)))], [], 'nothing else')
}

/** As `1.22`: Debian's version without epoch, patch level and revision. */
function installedVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' })
  return /^Version: (?:\d+:)?(\d+\.\d+)/m.exec(stdout)?.[1] ?? `${name} is not installed`
}
