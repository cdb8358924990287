// `lineage drill root-secret`: what taking a root secret out of LINEAGE_SECRET_KEY refuses, and whether
// everything that it seals is sealed anew. Which secrets the instances have is for whoever starts them: the
// drill changes none, and asks them which they mint under and which they take.

import type { ServiceConfig } from '../../config/service-config.ts'
import { authenticateRefreshToken, mintRefreshToken } from '../../families/refresh-token-string.ts'
import type { RootSecret } from '../../secrets/root-secret.ts'
import { CONFIRMATION_LIFE_SECONDS } from '../../users/confirmation-token.ts'
import { CommandFailure } from '../command-failure.ts'
import type { CommandDatabase, CommandUsers } from '../command-stores.ts'
import { countSealedRows } from '../sealed-rows.ts'
import {
  type DrillPlan,
  type Expectation,
  isoOf,
  lengthOf,
  type Observation,
} from './drill-plan.ts'
import { type Probe, verdictOf, watch } from './drill-probe.ts'
import { readLongestLives } from './longest-lives.ts'

/** Of the tokens between the two steps of a login, and of the nonces of DPoP. */
const SHORT_LIVES_SECONDS = 5 * 60
/** What seals rows, by the name that `countSealedRows` has for them. */
const SEALED_IDS: Readonly<Record<string, string>> = {
  'signing keys': 'signing-keys',
  'webhook secrets': 'webhook-secrets',
  authenticators: 'authenticators',
}

/** The one that is to go: the last of the list, unless its id is given. Throws CommandFailure. */
function findGoing({ rootSecrets }: ServiceConfig, id: number | undefined): RootSecret {
  const found = id === undefined ? rootSecrets.all.at(-1) : rootSecrets.byId(id)
  if (found) return found
  const ids = rootSecrets.all.map((one) => one.id).join(', ')
  throw new CommandFailure(`no root secret ${id} is configured: there are ${ids}`)
}

/** Reads, and changes nothing. Rejects with DependencyUnavailable. */
export async function planRootSecret(
  { database, config, clock }: CommandDatabase,
  secretId: number | undefined,
): Promise<DrillPlan> {
  const nowMs = clock()
  const { rootSecrets } = config
  const going = findGoing(config, secretId)
  const isMinting = going.id === rootSecrets.current.id
  const rows = await countSealedRows(database)
  const lives = await readLongestLives(database, config)
  const idleMs = nowMs + lives.idleSeconds * 1000
  const absoluteMs = nowMs + lives.absoluteSeconds * 1000
  const left = rows.filter(({ rootSecretId }) => rootSecretId === going.id)
  return {
    drill: 'root-secret',
    issuer: config.issuer,
    at: isoOf(nowMs),
    facts: {
      configured: rootSecrets.all.map(({ id }) => id),
      goes: going.id,
      mintsHere: rootSecrets.current.id,
      rows: rows
        .map(({ what, rootSecretId, count }) => `${count} ${what} under ${rootSecretId}`)
        .join(', '),
      leftToSealAnew: left.reduce((sum, { count }) => sum + count, 0),
      longestIdle: lengthOf(lives.idleSeconds),
      safeFrom: isMinting
        ? 'not while it mints: put another one first'
        : `${isoOf(idleMs)}, if every instance mints under ${rootSecrets.current.id} from now on`,
    },
    expectations: listExpectations(going.id, rows, isoOf(absoluteMs), isoOf(nowMs)),
    doing: describeSteps(rootSecrets.all.length, isMinting, left.length > 0, isoOf(idleMs)),
    notes: [
      'how many refresh tokens are under which secret nobody knows: they are not stored, and ' +
        `change over at each use; whoever has not come for ${lengthOf(lives.idleSeconds)} has to log in anyway`,
      'whether the others in the list are older or newer than the first only you know: a newer one waits ' +
        'for its turn, an older one for the tokens of before',
      'backups of PostgreSQL need the secret that sealed them: keep it where they are kept',
    ],
  }
}

function listExpectations(
  going: number,
  rows: Awaited<ReturnType<typeof countSealedRows>>,
  absolute: string,
  now: string,
): readonly Expectation[] {
  const removed = `when ${going} is taken out`
  return [
    {
      id: 'refresh-tokens-under-it',
      what: `refresh tokens that name ${going}: their users log in again`,
      ...{ verdict: 'refused', from: removed, until: `for good; none lives beyond ${absolute}` },
    },
    {
      id: 'refresh-tokens-under-others',
      what: 'all other refresh tokens',
      ...{ verdict: 'goes on', from: now, until: 'as before' },
    },
    {
      id: 'access-tokens',
      what: 'access tokens: the signing keys stay',
      ...{ verdict: 'goes on', from: now, until: 'as before' },
    },
    ...Object.entries(SEALED_IDS).map(([what, id]): Expectation => {
      const count = rows.find((row) => row.what === what && row.rootSecretId === going)?.count ?? 0
      return {
        id,
        what: `${what}: ${count} are still sealed under ${going}`,
        verdict: count > 0 ? 'refused' : 'goes on',
        from: count > 0 ? removed : now,
        until: count > 0 ? 'until it is put back' : 'as before',
      }
    }),
    {
      id: 'links-of-mails',
      what: 'links of mails that were made under it',
      verdict: 'refused',
      from: removed,
      until: `${lengthOf(CONFIRMATION_LIFE_SECONDS.email_verification)} after the last was made`,
    },
    {
      id: 'second-steps-and-nonces',
      what: 'logins between their two steps, and nonces of DPoP, which clients ask for again',
      ...{
        verdict: 'refused',
        from: removed,
        until: `${lengthOf(SHORT_LIVES_SECONDS)} after the last`,
      },
    },
    {
      id: 'throttle',
      what: 'what was counted of guesses, and which sources are known: counted anew',
      ...{ verdict: 'forgotten', from: 'when another is first', until: '30 days at most' },
    },
  ]
}

function describeSteps(
  count: number,
  isMinting: boolean,
  hasRows: boolean,
  idle: string,
): readonly string[] {
  if (count === 1) {
    return [
      'make a second secret, and restart every instance with LINEAGE_SECRET_KEY=old,new',
      'then with new,old, which seals everything anew',
      `then, not before ${idle} if that is done now, with new alone`,
    ]
  }
  if (isMinting) return ['restart every instance with another secret first']
  if (hasRows) return ['restart an instance: a start seals everything under the first secret']
  return [`restart every instance without it, not before ${idle} if nobody is to log in again`]
}

/** Logs in, and presents the running instances with a token under the secret in question. */
export async function executeRootSecret(
  { config }: CommandUsers,
  probe: Probe,
  secretId: number | undefined,
): Promise<readonly Observation[]> {
  const { rootSecrets } = config
  const going = findGoing(config, secretId)
  const fromMs = performance.now()
  const own = await probe.login()
  const minted = authenticateRefreshToken(own.refreshToken, rootSecrets)
  if (!minted) throw new CommandFailure('the running instances mint under a secret unknown here')
  const { rootSecret: _, ...token } = minted
  const only = { current: going, all: [going], byId: () => going }
  const ofGoing = await probe.refresh(mintRefreshToken(token, only))
  const isTaken = ofGoing.tokens !== undefined
  // What was answered first goes on; where that was a refusal, the token from before still does.
  const next = ofGoing.tokens?.refreshToken ?? own.refreshToken
  const isSame = minted.rootSecret.id === going.id
  const others = await watch(
    'goes on',
    once(async () => verdictOf((await probe.refresh(next)).status)),
  )
  const online = await watch('goes on', async () => verdictOf(await probe.use(own.accessToken)))
  const at = { afterSeconds: (performance.now() - fromMs) / 1000 }
  return [
    {
      ...{ id: 'refresh-tokens-under-it', ...at },
      // As long as an instance has the secret, nothing is refused: that is the step before.
      expected: isTaken ? 'goes on' : 'refused',
      seen: isTaken ? 'goes on' : verdictOf(ofGoing.status),
      detail: isTaken
        ? `the instances still have ${going.id}`
        : `the instances have taken ${going.id} out`,
    },
    {
      ...{ id: 'refresh-tokens-under-others', ...others },
      detail: `the instances mint under ${minted.rootSecret.id}${isSame ? ', which is to go' : ''}`,
    },
    { id: 'access-tokens', ...online, detail: 'at /users/me' },
  ]
}

/** The first answer for as long as it is asked: a refresh token is used once. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}
