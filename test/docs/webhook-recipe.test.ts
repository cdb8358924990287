// The recipe of docs/operations.md for receivers of webhooks does what it says.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { addWebhookSecret, signWebhook } from '../../src/webhooks/webhook-secret.ts'

type Recipe = (secret: string, headers: Record<string, string>, rawBody: string) => boolean

async function loadRecipe(): Promise<Recipe> {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? ''
  const source = Buffer.from(`${code}\nexport { isFromLineage }`).toString('base64')
  const module = (await import(`data:text/javascript;base64,${source}`)) as {
    isFromLineage: Recipe
  }
  return module.isFromLineage
}

test('it takes what Lineage signed, by either secret while there are two', async (t) => {
  const isFromLineage = await loadRecipe()
  const message = { id: '11111111-2222-4333-8444-555555555555', body: '{"type":"é"}' }
  const [old] = addWebhookSecret([], Date.now())
  const secrets = addWebhookSecret([old], Date.now())
  const headers = signWebhook(message, secrets, Date.now())
  for (const { secret } of secrets) t.ok(isFromLineage(secret, headers, message.body))
  const [other] = addWebhookSecret([], Date.now())
  t.notOk(isFromLineage(other.secret, headers, message.body))
  t.notOk(isFromLineage(old.secret, headers, `${message.body} `))
  t.notOk(isFromLineage(old.secret, { ...headers, 'webhook-id': 'x' }, message.body))
  t.notOk(isFromLineage(old.secret, { ...headers, 'webhook-signature': 'v1,' }, message.body))
  const late = signWebhook(message, secrets, Date.now() - 3_600_000)
  t.notOk(isFromLineage(old.secret, late, message.body), 'an hour ago')
})
