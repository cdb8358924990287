// Whether the id and the names of a new user are free, somebody else's or those of this very user.

import { test } from 'tap'
import { judgeClaim, type KeyHolder, type UserKeys } from '../../src/users/user-claim.ts'

const judge = (keys: UserKeys, held: Readonly<Record<string, KeyHolder>>) =>
  judgeClaim(keys, (key) => held[key])

const NAMES = { username: 'ada', email: 'ada@x' }
const WITH_ID = { id: 'i1', ...NAMES }
const WITHOUT = { id: undefined, ...NAMES }

function faultsOf(keys: UserKeys, held: Readonly<Record<string, KeyHolder>>) {
  const claim = judge(keys, held)
  return claim.outcome === 'taken' ? claim.errors.map(({ pointer }) => pointer) : claim.outcome
}

test('nobody has any of the keys: they are free', async (t) => {
  t.equal(faultsOf(WITH_ID, {}), 'free')
  t.equal(faultsOf(WITHOUT, { 'id i1': 'i1', 'username other': 'i1' }), 'free')
})

test('the id with one of the names is this very user, whatever else has changed', async (t) => {
  const both = { 'id i1': 'i1', 'username ada': 'i1', 'email ada@x': 'i1' }
  t.equal(faultsOf(WITH_ID, both), 'there')
  t.equal(faultsOf(WITH_ID, { 'id i1': 'i1', 'username ada': 'i1' }), 'there')
  t.equal(faultsOf(WITH_ID, { 'id i1': 'i1', 'email ada@x': 'i1', 'username ada': 'i2' }), 'there')
  t.strictSame(faultsOf(WITH_ID, { 'id i1': 'i1' }), ['/id'], 'a deleted user, or another one')
})

test('without an id both names of one user are this very user', async (t) => {
  t.equal(faultsOf(WITHOUT, { 'username ada': 'i1', 'email ada@x': 'i1' }), 'there')
  t.strictSame(faultsOf(WITHOUT, { 'username ada': 'i1' }), ['/username'])
  t.strictSame(faultsOf(WITHOUT, { 'email ada@x': 'i1' }), ['/email'])
  t.strictSame(faultsOf(WITHOUT, { 'username ada': 'i1', 'email ada@x': 'i2' }), [
    '/username',
    '/email',
  ])
})

test('the names of somebody with another id are taken', async (t) => {
  const held = { 'username ada': 'i2', 'email ada@x': 'i2' }
  t.strictSame(faultsOf(WITH_ID, held), ['/username', '/email'])
  t.match(judge(WITHOUT, { 'username ada': 7 }), {
    errors: [{ pointer: '/username', detail: 'is that of line 7 already' }],
  })
})
