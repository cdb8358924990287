// The page of the contract as scripts/api-page makes it: what is escaped, for HTML and for a shell.

import { test } from 'tap'
import type { Contract } from '../../scripts/api-page/contract.ts'
import { formatCurl, formatJson } from '../../scripts/api-page/curl-example.ts'
import { renderDocsPage } from '../../scripts/api-page/docs-page.ts'
import type { DocumentedOperation } from '../../scripts/api-page/documented-operation.ts'
import { ISSUER } from '../support/app.ts'
import { readContract } from '../support/contract.ts'

test('whatever the contract says is text on the page', async (t) => {
  const evil = `<img src=x onerror=alert(1)>"'&`
  const contract = JSON.parse(JSON.stringify(readContract()), (key, value) =>
    ['description', 'summary', 'title', 'example'].includes(key) && typeof value === 'string'
      ? `${evil} \`${evil}\` **${evil}**`
      : value,
  ) as Contract
  const page = renderDocsPage(contract)
  t.notMatch(page, '<img')
  t.match(page, '<code>&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;</code>')
})

test('commands quote for the shell, and take secrets from variables', async (t) => {
  const operation: DocumentedOperation = {
    operationId: 'test',
    summary: 'Test',
    security: [{ clientBasic: [] }],
    tag: 'Test',
    method: 'POST',
    baseUrl: ISSUER,
    path: '/token',
    parameters: [],
    bodies: [{ mediaType: 'application/x-www-form-urlencoded', schema: {}, examples: [] }],
    answers: [],
  }
  t.equal(
    formatCurl(operation, { grant_type: 'password', password: `it's $HOME`, resource: ['a', 'b'] }),
    [
      `curl ${ISSUER}/token`,
      '-u "$CLIENT_ID:$CLIENT_SECRET"',
      '-d grant_type=password',
      `--data-urlencode 'password=it'\\''s $HOME'`,
      '-d resource=a',
      '-d resource=b',
    ].join(' \\\n  '),
  )
  t.equal(formatJson({ a: ['x, y', 'z'], b: [] }), '{\n  "a": ["x, y", "z"],\n  "b": []\n}')
})
