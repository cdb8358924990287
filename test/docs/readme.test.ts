// What the documents name is there: scripts, files, sections. And they stay as short as promised.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')

function anchorsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').match(/^#+ .*$/gm) ?? []
  return headings.map((heading) => anchorOf(heading.replace(/^#+ /, '')))
}

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

test('every link between documents leads somewhere', async (t) => {
  let seen = 0
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#')
      if (/^\w+:/.test(link)) t.fail(`${document} links to ${link}, outside of the repository`)
      const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path)
      seen += 1
      if (!existsSync(target)) t.fail(`${document} links to ${link}, which is not there`)
      else if (anchor && !anchorsOf(target).includes(anchor)) {
        t.fail(`${document} links to ${link}, which has no such section`)
      }
    }
  }
  t.ok(seen > 5, 'the links were found')
})

test('every file of ours that a document names is there', async (t) => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, path = ''] of text.matchAll(/`((?:src|test|docs|prisma|scripts)\/[\w./-]+)`/g)) {
      if (!existsSync(join(ROOT, path))) t.fail(`${document} names ${path}, which is not there`)
    }
  }
  t.pass('all of them were looked at')
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
