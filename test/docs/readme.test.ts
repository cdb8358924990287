// The README names every script and stays short; decisions keep their form. What documents refer to is
// held by references.test.ts.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

test('the README is under 200 lines and names every script that there is, and no other', async (t) => {
  t.ok(README.split('\n').length < 200)
  const scripts = Object.keys(
    (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
  )
  const named = [...README.matchAll(/npm (?:run ([a-z:]+)|(start|test)\b)/g)].map(
    ([, script, shorthand]) => script ?? shorthand ?? '',
  )
  t.strictSame([...new Set(named)].sort(), scripts.sort())
})

test('decisions are numbered without a gap and say context, decision, status, consequences', async (t) => {
  const names = readdirSync(join(ROOT, 'docs/adr')).sort()
  for (const [index, name] of names.entries()) {
    t.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`))
    const text = readFileSync(join(ROOT, 'docs/adr', name), 'utf8')
    t.strictSame(text.match(/^## .*$/gm), [
      '## Status',
      '## Context',
      '## Decision',
      '## Consequences',
    ])
    t.ok(text.split('\n').length < 70, `${name} is one page`)
  }
})
