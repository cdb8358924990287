// The rules of a client's exchange policy (docs/semantics.md §25).

import { test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { draftClient } from '../../src/clients/client-draft.ts'
import { TOKEN_EXCHANGE } from '../../src/clients/client-exchange.ts'
import { CHOICES, LIMITS, MINIMAL } from '../scenes/client-fixtures.ts'

const RULE = {
  audience: 'https://orders.example',
  scopes: ['orders:read'],
  subjectClients: ['web'],
  mode: 'delegation',
}

function pointersOf(exchange: readonly unknown[], input: Partial<ClientInput> = {}): string[] {
  const draft = {
    ...MINIMAL,
    grantTypes: [TOKEN_EXCHANGE],
    exchange: exchange as ClientInput['exchange'],
    ...input,
  }
  const checked = draftClient(draft as ClientInput, LIMITS, CHOICES)
  return checked.ok ? [] : checked.errors.map(({ pointer }) => pointer)
}

test('a policy that says everything is taken, and an empty one, too', async (t) => {
  const other = { ...RULE, subjectClients: ['app', 'c_abcdefghijklmnopqrstuv'] }
  const bare = { ...RULE, audience: 'stock', scopes: [], mode: 'impersonation', mayAct: 'orders' }
  t.strictSame(pointersOf([RULE, other, bare]), [])
  t.strictSame(pointersOf([]), [])
})

test('what is not valid in a rule is told with its pointer, whatever its type', async (t) => {
  const bad: [unknown, string][] = [
    [null, '/exchange/0'],
    ['rule', '/exchange/0'],
    [{ ...RULE, more: 1 }, '/exchange/0/more'],
    [{ ...RULE, audience: '' }, '/exchange/0/audience'],
    [{ ...RULE, audience: 'a b' }, '/exchange/0/audience'],
    [{ ...RULE, audience: 7 }, '/exchange/0/audience'],
    [{ ...RULE, scopes: 'orders:read' }, '/exchange/0/scopes'],
    [{ ...RULE, scopes: ['a b'] }, '/exchange/0/scopes/0'],
    [{ ...RULE, scopes: ['a', 'a'] }, '/exchange/0/scopes/1'],
    [{ ...RULE, scopes: ['lineage:admin'] }, '/exchange/0/scopes/0'],
    [{ ...RULE, scopes: ['lineage:introspect'] }, '/exchange/0/scopes/0'],
    [{ ...RULE, scopes: Array.from({ length: 101 }, (_, i) => `s${i}`) }, '/exchange/0/scopes'],
    [
      { ...RULE, scopes: Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(120, 'x')) },
      '/exchange/0/scopes',
    ],
    [{ ...RULE, subjectClients: [] }, '/exchange/0/subjectClients'],
    [{ ...RULE, subjectClients: ['*'] }, '/exchange/0/subjectClients/0'],
    [{ ...RULE, subjectClients: ['web', 'web'] }, '/exchange/0/subjectClients/1'],
    [{ ...RULE, mode: 'both' }, '/exchange/0/mode'],
    [{ ...RULE, mayAct: '*' }, '/exchange/0/mayAct'],
  ]
  for (const [rule, pointer] of bad) {
    t.strictSame(pointersOf([rule]), [pointer], JSON.stringify(rule)?.slice(0, 80))
  }
})

test('two rules never both fit one token and one audience', async (t) => {
  const again = { ...RULE, subjectClients: ['app', 'web'], mode: 'impersonation' }
  t.strictSame(pointersOf([RULE, again]), ['/exchange/1/subjectClients/1'])
})

test('a policy needs its grant, is bounded, and is for confidential clients without cookies', async (t) => {
  t.strictSame(pointersOf([RULE], { grantTypes: ['client_credentials'] }), ['/exchange'])
  const many = Array.from({ length: 33 }, (_, i) => ({ ...RULE, audience: `a${i}` }))
  t.strictSame(pointersOf(many), ['/exchange'])
  t.strictSame(pointersOf([RULE], { type: 'public' }), ['/grantTypes'])
  const cookies = { tokenDelivery: 'cookie', allowedOrigins: ['https://a.example'] } as const
  t.strictSame(pointersOf([RULE], cookies), ['/tokenDelivery'])
})
