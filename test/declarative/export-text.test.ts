// Any text that a resource may hold is read again as it was written.

import { isDeepStrictEqual } from 'node:util'
import { test } from 'tap'
import type { ResourceDocument } from '../../src/declarative/declared-resource.ts'
import { toYaml } from '../../src/declarative/export-resources.ts'
import { readDocuments } from '../../src/declarative/read-documents.ts'

const PARTS = [
  ...['a', ' ', '\n', '\t', '#', ': ', '- ', '---', '...', '"', "'", '\\', '{', '&', '*', '!', '%'],
  ...['~', 'null', '1e3', '0x1f', 'yes', '.inf', '<<', '|', '>', '?', '\u0085', '\u2028', '\u001b'],
]

test('an exported text is read again as it was', (t) => {
  const wrong: string[] = []
  for (const first of PARTS) {
    for (const second of ['', ...PARTS]) {
      const text = first + second
      const document: ResourceDocument = {
        apiVersion: 'lineage/v1',
        kind: 'Client',
        metadata: { name: text },
        spec: { text, list: [text, { text }] },
      }
      const yaml = toYaml({ document, hasSecret: true } as Parameters<typeof toYaml>[0])
      const [read] = readDocuments(yaml, 'export', () => {})
      if (!isDeepStrictEqual(read?.value, document)) wrong.push(encodeURIComponent(text))
    }
  }
  t.strictSame(wrong, [])
  t.end()
})
