// Doing what `lineage drill redis-loss` plans: sessions of every kind are made, every master forgets
// everything, and the running instances are asked what is left.

import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { FamilyId } from '../../families/family.ts'
import { openPostgresJournal } from '../../families/postgres/postgres-journal.ts'
import { authenticateRefreshToken } from '../../families/refresh-token-string.ts'
import { CommandFailure } from '../command-failure.ts'
import type { CommandUsers } from '../command-stores.ts'
import type { Observation, Verdict } from './drill-plan.ts'
import { type Probe, type ProbeTokens, verdictOf, watch } from './drill-probe.ts'
import { countContents, readMarks } from './redis-contents.ts'

const PATIENCE_MS = 120_000
const POLL_MS = 50

/** Throws CommandFailure where the servers hold keys of others, before anything is done. */
export async function executeRedisLoss(
  stores: CommandUsers,
  probe: Probe,
  masters: readonly Redis[],
): Promise<readonly Observation[]> {
  const { foreignKeys } = await countContents(masters)
  if (foreignKeys > 0) {
    throw new CommandFailure(
      `${foreignKeys} keys there are not of Lineage: they would be lost, too`,
    )
  }
  const sessions = await makeSessions(stores, probe)
  for (const master of masters) await master.flushdb()
  const fromMs = performance.now()
  const closed = await waitForMarks(stores, probe, sessions, masters, fromMs)
  const after = (verdict: Verdict, ask: () => Promise<Verdict | 'neither'>) =>
    watch(verdict, ask, fromMs)
  const refresh = (tokens: ProbeTokens) => {
    let { refreshToken } = tokens
    return async () => {
      const { status, tokens: next } = await probe.refresh(refreshToken)
      refreshToken = next?.refreshToken ?? refreshToken
      return verdictOf(status)
    }
  }
  const use = (tokens: ProbeTokens) => async () => verdictOf(await probe.use(tokens.accessToken))
  const [old, young, ended, revoked, ofOld, logins] = await Promise.all([
    after('refused', refresh(sessions.old)),
    after('goes on', refresh(sessions.young)),
    after('refused', refresh(sessions.ended)),
    after('refused', use(sessions.revoked)),
    after('refused', use(sessions.old)),
    after('goes on', () => logIn(probe)),
  ])
  const { unavailable, believed, ...answers } = closed
  const detail = 'refreshed, again and again'
  return [
    { id: 'answers', ...answers, detail: `${unavailable} of them 503` },
    { id: 'old-sessions', ...old, detail },
    { id: 'young-sessions', ...young, detail },
    { id: 'ended-sessions', ...ended, detail },
    {
      ...{ id: 'revoked-access-tokens', ...revoked },
      detail: `at /users/me; believed ${believed} times before that`,
    },
    { id: 'access-tokens-of-old-sessions', ...ofOld, detail: 'at /users/me' },
    { id: 'logins', ...logins, detail: 'with the password' },
  ]
}

async function makeSessions({ config, database }: CommandUsers, probe: Probe) {
  const old = await probe.login()
  const young = await probe.login()
  const ended = await probe.login()
  const revoked = await probe.login()
  await probe.revoke(ended.refreshToken)
  await probe.revoke(revoked.accessToken)
  // As it is for every login after a quarter of an hour: the journal knows it no more.
  const read = authenticateRefreshToken(old.refreshToken, config.rootSecrets)
  if (!read) throw new CommandFailure('the running instances mint under a secret unknown here')
  await openPostgresJournal(database).retractLogin(read.familyId satisfies FamilyId)
  return { old, young, ended, revoked }
}

async function logIn(probe: Probe): Promise<Verdict | 'neither'> {
  try {
    await probe.login()
    return 'goes on'
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    return 'neither'
  }
}

/** Until every server has a mark again, and a young session is answered; what was answered meanwhile. */
async function waitForMarks(
  { config }: CommandUsers,
  probe: Probe,
  { young, revoked }: Readonly<Record<'young' | 'revoked', ProbeTokens>>,
  masters: readonly Redis[],
  fromMs: number,
) {
  let [unavailable, believed] = [0, 0]
  for (;;) {
    const marks = await readMarks(masters, config.redis?.mode === 'cluster')
    const isHealed = marks.every((mark) => mark !== undefined && mark > 0)
    const statuses = [
      await probe.use(young.accessToken),
      await probe.use(revoked.accessToken),
    ] as const
    unavailable += statuses.filter((status) => status === 503).length
    if (statuses[1] === 200) believed += 1
    const waitedMs = performance.now() - fromMs
    const isDone = isHealed && verdictOf(statuses[0]) === 'goes on'
    if (isDone || waitedMs > PATIENCE_MS) {
      const seen = isDone ? 'goes on' : 'neither'
      const found = { expected: 'goes on', seen, afterSeconds: waitedMs / 1000 } as const
      return { ...found, unavailable, believed }
    }
    await delay(POLL_MS)
  }
}
