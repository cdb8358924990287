// Keys of several algorithms at several workers: every one signs and publishes with all of them, sees a rotation
// that another has made, and one alone makes those that are due (docs/semantics.md §8, §13).

import { decodeProtectedHeader } from 'jose'
import type { Test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { FORM, readJson } from '../support/hostile-wire.ts'
import { until } from '../support/until.ts'
import type { Workers } from './workers-scene.ts'

/** What the workers have to be started with. */
export const TWO_ALGORITHMS = { LINEAGE_SIGNING_ALGS: 'ES256,RS256' }

/** As if all keys had been made a month ago; where there is a `signs_from`, that is what counts. */
const AGE = `WITH aged AS (UPDATE signing_keys SET
    active_from = CASE WHEN signs_from IS NULL THEN active_from - interval '31 days' ELSE active_from END,
    signs_from = signs_from - interval '31 days')
  UPDATE table_versions SET version = version + 1 WHERE name = 'signing_keys'`

interface Key {
  readonly kid: string
  readonly alg: string
  readonly state: string
}

/** What two workers sign with and publish, each key as `alg kid`. */
async function openKeyScene({ service, ofEach }: Workers) {
  const client = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    signingAlg: 'RS256',
  })
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  })
  await until('the client at both', async () => {
    const answers = await ofEach('POST /token', [FORM], String(form))
    return [...answers.values()].every(({ status }) => status === 200)
  })

  async function published(): Promise<readonly (readonly string[])[]> {
    const answers = await ofEach('GET /.well-known/jwks.json')
    return [...answers.values()].map((answer) =>
      (readJson(answer).keys as Key[]).map(({ alg, kid }) => `${alg} ${kid}`).sort(),
    )
  }
  return {
    published,
    /** What both publish, when it is the same and fits. */
    agreed: (fits: (keys: readonly string[]) => boolean) =>
      until('the same keys at both', async () => {
        const [one = [], other = []] = await published()
        return one.join() === other.join() && fits(one) && one
      }),
    /** What each of them signs with for a client that wants RS256. */
    async signers(): Promise<readonly string[]> {
      const answers = await ofEach('POST /token', [FORM], String(form))
      return [...answers.values()].map((answer) => {
        const { alg, kid } = decodeProtectedHeader(String(readJson(answer).access_token))
        return `${alg} ${kid}`
      })
    },
    async rotate(body: object): Promise<Key> {
      const answer = await service.admin('POST', '/admin/keys/rotate', body)
      if (answer.status !== 201) throw new Error(`no rotation: ${await answer.text()}`)
      return (await answer.json()) as Key
    },
  }
}

const algsOf = (keys: readonly string[]) => keys.map((name) => name.split(' ')[0])

/** Two workers that were started with TWO_ALGORITHMS on that database, which has had no keys before. */
export async function checkKeys(t: Test, workers: Workers, databaseUrl: string): Promise<void> {
  const { service } = workers
  const { published, agreed, signers, rotate } = await openKeyScene(workers)
  const [first = [], same] = await published()
  t.strictSame(algsOf(first), ['ES256', 'RS256'], 'all of them are published')
  t.strictSame(same, first, 'by both')
  t.equal(service.log('key.published').length, 2, 'and were made once')
  t.strictSame(await signers(), [first[1], first[1]], 'both sign as the client says')

  const { alg, kid } = await rotate({ alg: 'RS256' })
  const more = await agreed((keys) => keys.length === 3)
  t.strictSame(more, [...first, `${alg} ${kid}`].sort(), 'a rotation is seen by both')

  await rotate({ compromised: true })
  const fresh = await agreed((keys) => !keys.some((name) => more.includes(name)))
  t.strictSame(algsOf(fresh), ['ES256', 'RS256'])
  t.strictSame(await signers(), [fresh[1], fresh[1]], 'what is compromised signs nowhere')

  const made = service.log('key.published').length
  const database = openDatabase(databaseUrl)
  t.teardown(() => database.close())
  await database.pool.query(AGE)
  await agreed((keys) => keys.length >= 4)
  await until('their events', () => service.log('key.published').length >= made + 2)
  const answer = await service.admin('GET', '/admin/keys')
  const { items } = (await answer.json()) as { items: Key[] }
  t.strictSame(
    items.map((key) => `${key.alg} ${key.state}`).sort(),
    ['ES256 active', 'ES256 next', 'RS256 active', 'RS256 next'],
    'what is due is made once for each algorithm, not for each worker',
  )
  t.equal(service.log('key.published').length, made + 2)
}
