// docs/errors.md and the two tables in the code say the same, both ways.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { API_ERRORS } from '../../src/http/server/api-error.ts'
import { OAUTH_ERRORS, OAuthError } from '../../src/oauth/oauth-error.ts'

/** Every row below a heading of a code: with a reason at the OAuth endpoints, without elsewhere. */
function readDocument() {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const reasons: Record<string, { code: string; status: number }> = {}
  const codes: Record<string, { status: number }> = {}
  const emptyCells: string[] = []
  const headings: string[] = []
  for (const line of page.split('\n')) {
    const heading = /^### (\w+)$/.exec(line)?.[1]
    if (heading) headings.push(heading)
    const code = headings.at(-1) ?? ''
    const row = /^\| (?:`(\w+)` \| )?(\d{3}) \|/.exec(line)
    if (!row) continue
    const [, reason, status] = row
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.slice(1, -1).includes('')) emptyCells.push(line)
    if (reason === undefined) codes[code] = { status: Number(status) }
    else reasons[reason] = { code, status: Number(status) }
  }
  return { reasons, codes, emptyCells, headings }
}

test('every reason of the OAuth endpoints is explained under its code, and no other', async (t) => {
  const expected = Object.fromEntries(
    Object.entries(OAUTH_ERRORS).map(([reason, { code, status }]) => [reason, { code, status }]),
  )
  t.strictSame(readDocument().reasons, expected)
})

test('every code of the JSON endpoints is explained with its status, and no other', async (t) => {
  const expected = Object.fromEntries(
    Object.entries(API_ERRORS).map(([code, { status }]) => [code, { status }]),
  )
  t.strictSame(readDocument().codes, expected)
})

test('every code has one section, and every row says everything', async (t) => {
  const { emptyCells, headings } = readDocument()
  t.equal(new Set(headings).size, headings.length, 'so that its anchor is its own')
  t.strictSame(emptyCells, [])
})

test('public descriptions keep to the characters of RFC 6749 §5.2 (C19)', async (t) => {
  const missing = new OAuthError('parameter_missing', { parameter: 'refresh_token' })
  for (const { description } of [...Object.values(OAUTH_ERRORS), missing]) {
    t.match(description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  }
})
