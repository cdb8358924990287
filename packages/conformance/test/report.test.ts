// Reports: JUnit XML that any reader takes, whatever a service wrote into a reason, and text for
// people.

import { test } from 'tap'
import { formatJunit } from '../src/junit-report.ts'
import type { ConformanceReport, RowResult } from '../src/run-checks.ts'
import { formatRow, formatSummary } from '../src/text-report.ts'

const HOSTILE = `a <b> & "c" 'd' ]]> \u0000\u001b[2J\ufffe \ud800 \r\n ü 😀`

const row = (more: Partial<RowResult>): RowResult => ({
  row: 'C1',
  level: 'MUST',
  sentence: 'A sentence.',
  sections: ['RFC 6749 §3.2'],
  status: 'PASS',
  durationMs: 1234,
  ...more,
})

const REPORT: ConformanceReport = {
  issuer: `https://auth.example.test/?a="b"&<c>`,
  summary: { passed: 1, failed: 1, skipped: 1 },
  rows: [
    row({}),
    row({ row: 'C2', status: 'FAIL', reason: HOSTILE, sentence: 'Less < & more.' }),
    row({ row: 'C3', status: 'SKIP', reason: HOSTILE, level: 'product', sections: [] }),
  ],
}

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
}

/** Elements and attributes as XML 1.0 has them, nothing else; throws for anything that is not that. */
function parseXml(document: string): Element {
  const [, body = ''] = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n(.*)$/s.exec(document) ?? []
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(body)) {
    throw new SyntaxError('a character that XML has not')
  }
  const root: Element = { name: '', attributes: {}, children: [] }
  const open = [root]
  const rest = body.replaceAll(
    /<(\/?)(\w+)((?: \w+="[^"<]*")*)(\/?)>/g,
    (_, end, name, text, empty) => {
      if (end) {
        if (open.pop()?.name !== name) throw new SyntaxError(`</${name}> closes another element`)
        return ''
      }
      const element: Element = { name, attributes: parseAttributes(text), children: [] }
      open.at(-1)?.children.push(element)
      if (!empty) open.push(element)
      return ''
    },
  )
  if (rest.trim() !== '' || open.length !== 1) throw new SyntaxError(`left over: ${rest.trim()}`)
  const [first] = root.children
  if (!first || root.children.length !== 1) throw new SyntaxError('one root is needed')
  return first
}

function parseAttributes(text: string): Record<string, string> {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  const pairs = [...text.matchAll(/ (\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => {
    if (/&(?!(amp|lt|gt|quot|apos);)/.test(value)) throw new SyntaxError('a bare ampersand')
    return [name, value.replaceAll(/&(\w+);/g, (_, entity) => entities[entity] ?? '')] as const
  })
  return Object.fromEntries(pairs)
}

test('JUnit XML is well-formed, counts, and carries what was written into it', async (t) => {
  const root = parseXml(formatJunit(REPORT))
  const counts = { tests: '3', failures: '1', errors: '0', skipped: '1', time: '3.702' }
  t.match(root, { name: 'testsuites', attributes: counts })
  const [suite] = root.children
  t.match(suite, { name: 'testsuite', attributes: counts })
  t.equal(suite?.attributes.name, `lineage conformance ${REPORT.issuer}`)
  const [passed, failed, skipped] = suite?.children ?? []
  t.strictSame(passed, {
    name: 'testcase',
    attributes: {
      classname: 'conformance.MUST',
      name: 'C1 A sentence. (RFC 6749 §3.2)',
      time: '1.234',
    },
    children: [],
  })
  const reason = `a <b> & "c" 'd' ]]> ??[2J? ? ?? ü 😀`
  t.match(failed, {
    attributes: { name: 'C2 Less < & more. (RFC 6749 §3.2)' },
    children: [{ name: 'failure', attributes: { message: reason } }],
  })
  t.match(skipped, {
    attributes: { classname: 'conformance.product', name: 'C3 A sentence.' },
    children: [{ name: 'skipped', attributes: { message: reason } }],
  })
})

test('a report without rows is a document, too', async (t) => {
  const empty = { issuer: 'x', summary: { passed: 0, failed: 0, skipped: 0 }, rows: [] }
  t.match(parseXml(formatJunit(empty)), { attributes: { tests: '0', time: '0.000' } })
})

test('text is in columns, with the reason under what did not pass', async (t) => {
  t.equal(formatRow(row({})), 'PASS  C1    MUST     A sentence.  (RFC 6749 §3.2)')
  t.equal(
    formatRow(row({ row: 'C112', level: 'product', sections: [], status: 'FAIL', reason: 'why' })),
    'FAIL  C112  product  A sentence.\n      -> why',
  )
  t.equal(formatSummary(REPORT), `${REPORT.issuer}: 1 passed, 1 failed, 1 skipped\nFailed: C2`)
})
