// Families that are bound to a key, a certificate or both: whoever presents a token of one has to have
// shown all of it, and whoever has not changes nothing (docs/semantics.md §3).

import type { Test } from 'tap'
import type { RotateFamily } from '../../src/families/family.ts'
import type { Confirmation } from '../../src/oauth/confirmation.ts'
import {
  describe,
  ending,
  GRACE_MS,
  listAll,
  logIn,
  MOBILE,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'

const JKT = 'k'.repeat(43)
const X5T = 'c'.repeat(43)
const OTHER = 'o'.repeat(43)

const BINDINGS: readonly Confirmation[] = [
  { jkt: JKT },
  { 'x5t#S256': X5T },
  { jkt: JKT, 'x5t#S256': X5T },
]
const SHOWN: readonly (Confirmation | undefined)[] = [
  undefined,
  { jkt: OTHER },
  { jkt: '' },
  { 'x5t#S256': OTHER },
  // The right thumbprint of the wrong thing.
  { jkt: X5T, 'x5t#S256': JKT },
  { 'x5t#S256': JKT },
  { jkt: X5T },
  { jkt: JKT },
  { 'x5t#S256': X5T },
  { jkt: JKT, 'x5t#S256': OTHER },
  { jkt: OTHER, 'x5t#S256': X5T },
  { jkt: JKT, 'x5t#S256': X5T },
]

function isEnough(bound: Confirmation, shown: Confirmation | undefined): boolean {
  return (['jkt', 'x5t#S256'] as const).every(
    (name) => bound[name] === undefined || bound[name] === shown?.[name],
  )
}

export async function runBindingCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another } = await open(t)
  const other = await another()

  for (const confirmation of BINDINGS) {
    const bound = JSON.stringify(confirmation)

    t.test(`bound to ${bound}: what is shown decides, for any generation`, async (t) => {
      const first = await logIn(store, newUser(), { confirmation })
      const second = await rotateOn(store, first)
      const third = await rotateOn(store, second)
      t.strictSame(await read(other, first), { ...first, ...third, confirmation })
      for (const shown of SHOWN.filter((shown) => !isEnough(confirmation, shown))) {
        for (const generation of [0, 1, 2, 3, 900]) {
          const request = { generation, confirmation: shown, ip: '203.0.113.9', userAgent: 'thief' }
          t.equal(
            describe(await store.rotate(rotation(third, request))),
            'inactive family_key_mismatch',
            `${JSON.stringify(shown)} with generation ${generation}`,
          )
        }
      }
      t.strictSame(await read(store, first), third, 'nothing has changed')
      let family = third
      for (const shown of SHOWN.filter((shown) => isEnough(confirmation, shown))) {
        const userAgent = `agent of ${JSON.stringify(shown)}`
        family = await rotateOn(store, family, { confirmation: shown, userAgent })
        t.strictSame(family.confirmation, confirmation, 'the binding is that of the login')
      }
    })

    t.test(`bound to ${bound}: a retry needs it too, an end does not`, async (t) => {
      const first = await logIn(store, newUser(), { confirmation })
      const second = await rotateOn(store, first)
      const retry = { nowMs: T0 + 2_000 }
      const bare = await store.rotate(rotation(first, { ...retry, confirmation: undefined }))
      t.equal(describe(bare), 'inactive family_key_mismatch')
      t.match(await store.rotate(rotation(first, retry)), { outcome: 'retried' })
      const elsewhere = await store.rotate(rotation(first, { ...retry, ip: '203.0.113.9' }))
      t.match(elsewhere, { outcome: 'retried', elsewhere: true, family: { confirmation } })
      t.equal(await store.end(ending(second)), 'ended', 'RFC 7009 asks for no proof')
      t.match(await read(store, first), { confirmation, ended: { reason: 'revoked_by_user' } })
    })

    t.test(`bound to ${bound}: reuse ends it, and it stays known what it was`, async (t) => {
      const first = await logIn(store, newUser(), { confirmation })
      const second = await rotateOn(store, first)
      const late = rotation(first, { nowMs: second.rotatedAtMs + GRACE_MS })
      t.match(await store.rotate(late), { outcome: 'replayed', family: { confirmation } })
      const bare = await store.rotate(rotation(second, { confirmation: undefined }))
      t.equal(describe(bare), 'inactive family_key_mismatch', 'before it is said that it has ended')
      t.equal(describe(await store.rotate(rotation(second))), 'inactive family_ended')
      t.match((await listAll(store, first.userId)).families, [{ confirmation }])
    })
  }

  t.test('the key is asked for after the client, and before all that changes', async (t) => {
    const user = newUser()
    const first = await logIn(store, user, { confirmation: { jkt: JKT } })
    await store.putUser(nextEpoch(user, 'user_disabled'))
    const wrong: Partial<RotateFamily> = { confirmation: undefined, generation: 900 }
    const steps: [string, Partial<RotateFamily>][] = [
      ['family_secret_wrong', { ...wrong, clientId: MOBILE, secretHash: 'A'.repeat(43) }],
      ['family_of_other_client', { ...wrong, clientId: MOBILE }],
      ['family_key_mismatch', wrong],
      ['user_inactive', {}],
    ]
    for (const [reason, request] of steps) {
      t.equal(describe(await store.rotate(rotation(first, request))), `inactive ${reason}`)
    }
  })

  t.test('what is bound to nothing asks for nothing, and stays so', async (t) => {
    let family = await logIn(store)
    for (const confirmation of SHOWN) {
      family = await rotateOn(store, family, { confirmation })
      t.equal(family.confirmation, undefined)
    }
  })
}
