import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { isClientId, isClientSlug, newClientId } from '../../src/clients/client-id.ts'

test('a server-made id is c_ and 22 characters, and no slug', async (t) => {
  const id = newClientId()
  t.match(id, /^c_[A-Za-z0-9_-]{22}$/)
  t.ok(isClientId(id))
  t.notOk(isClientSlug(id))
  t.not(newClientId(), id)
})

test('an id is never shaped like the id of a user (C48)', async (t) => {
  for (const id of [randomUUID(), 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', 'A'.repeat(8)]) {
    t.notOk(isClientId(id), id)
  }
})

test('a slug begins with a letter and has 2 to 63 characters of a-z, 0-9 and hyphen', async (t) => {
  for (const slug of ['ab', 'web-app', 'a1', `a${'b'.repeat(62)}`, 'deadbeef-cafe', 'a-']) {
    t.ok(isClientSlug(slug), slug)
    t.ok(isClientId(slug), slug)
  }
  for (const text of [
    '',
    'a',
    '1a',
    '-a',
    'Web',
    'web_app',
    'web app',
    'web.app',
    'wéb',
    'web\n',
    `a${'b'.repeat(63)}`,
    'c_short',
    `c_${'a'.repeat(23)}`,
  ]) {
    t.notOk(isClientId(text), JSON.stringify(text))
  }
})
