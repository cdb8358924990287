// Whatever a document or a comment refers to is in this repository: files, folders, sections, and the
// rows of the conformance checklist.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { listFiles, ROOT, readTexts } from '../support/repository-text.ts'

const FILES = listFiles()
const TEXTS = readTexts(FILES)
const DOCUMENTS = TEXTS.filter(({ path }) => path.endsWith('.md'))
/** Migrations are never edited, not even in a comment: a database knows each by its checksum. */
const EDITABLE = TEXTS.filter(({ path }) => !path.startsWith('prisma/migrations/'))
const SEMANTICS = textOf('docs/semantics.md')

/** Where the rows of the checklist are listed, each with a sentence. */
const LEGEND = 'packages/conformance/README.md'
const OUR_FOLDERS = 'src|test|docs|scripts|packages|bench|prisma|examples|deploy'
/** Folders that `npm run generate`, `npm run build` and the tests make. */
const MADE = /^src\/generated\b/

function textOf(path: string): string {
  return TEXTS.find((file) => file.path === path)?.text ?? ''
}

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

function anchorsOf(text: string): string[] {
  const headings = text.match(/^#+ .*$/gm) ?? []
  return headings.map((heading) => anchorOf(heading.replace(/^#+ /, '')))
}

test('every link between documents leads somewhere', async (t) => {
  let seen = 0
  for (const { path: document, text } of DOCUMENTS) {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#')
      if (/^\w+:/.test(link)) t.fail(`${document} links to ${link}, outside of the repository`)
      const target = path === '' ? document : join(dirname(document), path)
      seen += 1
      if (!existsSync(join(ROOT, target))) {
        t.fail(`${document} links to ${link}, which is not there`)
      } else if (anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)) {
        t.fail(`${document} links to ${link}, which has no such section`)
      }
    }
  }
  t.ok(seen > 100, 'the links were found')
})

test('every path of ours that a text names is there', async (t) => {
  const pattern = new RegExp(`(?<![\\w/.:<@-])(?:${OUR_FOLDERS})/[\\w./*-]*`, 'g')
  let seen = 0
  for (const { path, prose } of EDITABLE) {
    for (const [found] of prose.matchAll(pattern)) {
      // Of a pattern such as `redis-*.test.ts` the folder.
      const named = found.replace(/[^/]*\*.*$/, '').replace(/[./-]+$/, '')
      // A package and an example name their own folders as if they were the whole.
      const places = [named, join(dirname(path), named), join(dirname(dirname(path)), named)]
      seen += 1
      if (MADE.test(named) || places.some((place) => existsSync(join(ROOT, place)))) continue
      t.fail(`${path} names ${named}, which is not there`)
    }
  }
  t.ok(seen > 200, 'the paths were found')
})

test('every file that a text names by its name is there', async (t) => {
  const pattern = /(?<![\w/.:<>…*@-])[\w-][\w.-]*(?:\/[\w.-]+)*\.(?:ts|lua|prisma|md)\b/g
  let seen = 0
  for (const { path, prose } of EDITABLE) {
    for (const [named] of prose.matchAll(pattern)) {
      seen += 1
      const isThere = FILES.some((file) => file === named || file.endsWith(`/${named}`))
      if (!isThere) t.fail(`${path} names ${named}, which is not there`)
    }
  }
  t.ok(seen > 200, 'the files were found')
})

test('no text cites a document that is kept elsewhere', async (t) => {
  // Names in capitals, as documents beside a repository have them; CHECKLIST is also a constant.
  const pattern = /\b(?:DESIGN|INTERFACE)\b|\b(?:CHECKLIST|STYLE|SPEC)(?: §|\.md)/g
  for (const { path, text } of EDITABLE) {
    if (path === 'test/docs/references.test.ts') continue
    for (const [found] of text.matchAll(pattern)) t.fail(`${path} cites ${found}`)
  }
  t.pass('all of them were looked at')
})

test('every section of the semantics that a text cites exists', async (t) => {
  const numbers = [...SEMANTICS.matchAll(/^## (\d+) /gm)].map(([, number]) => Number(number))
  t.strictSame(
    numbers,
    numbers.map((_, index) => index + 1),
    'sections are numbered from 1 without a gap',
  )
  const cited = [
    ...EDITABLE.flatMap(({ path, prose }) =>
      [...prose.matchAll(/semantics\.md(?:[\s/*,-]*(?:and )?§\d+)+/g)].map(([text]) => ({
        path,
        text,
      })),
    ),
    ...[...SEMANTICS.matchAll(/(?<!RFC \d{4} )§\d+/g)].map(([text]) => ({
      path: 'docs/semantics.md',
      text,
    })),
  ]
  for (const { path, text } of cited) {
    for (const [, number] of text.matchAll(/§(\d+)/g)) {
      if (!numbers.includes(Number(number))) t.fail(`${path} cites §${number}, which is not there`)
    }
  }
  t.ok(cited.length > 5, 'the citations were found')
})

test('every row of the checklist that a text names is in its list', async (t) => {
  const legend = new Set<string>(textOf(LEGEND).match(/(?<=^\| )C\d+(?= \|)/gm))
  t.ok(legend.size > 100, 'the list was found')
  let seen = 0
  for (const { path, text } of EDITABLE) {
    for (const [row] of text.matchAll(/(?<![\w+#%\\-])C[1-9]\d{0,2}(?![\w-])/g)) {
      seen += 1
      if (!legend.has(row)) t.fail(`${path} names the row ${row}, which is in no list`)
    }
  }
  t.ok(seen > 200, 'the rows were found')
})
