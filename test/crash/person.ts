// One user with a few sessions at a client: does one thing after the other, and knows of each session what
// an answer has made certain. What a kill left unanswered may have happened or not.

import { decodeJwt } from 'jose'
import type { Random } from '../chaos/random.ts'
import type { LineageProcess } from '../support/lineage-process.ts'
import { answered, answeredTokens, isNoAnswer, openPersonRequests } from './person-requests.ts'

export type Fate = 'live' | 'ended' | 'either'

export interface Session {
  readonly id: string
  /** Every refresh token that was answered, oldest first. */
  readonly tokens: string[]
  access: string
  fate: Fate
  /** Whether an old token was presented, so that an alarm is right. */
  isRobbed: boolean
}

export interface Account {
  readonly id: string
  readonly username: string
}

export interface Person {
  readonly sessions: readonly Session[]
  /** One thing; false when it was not answered, after which there is nothing more to do. */
  step(service: LineageProcess): Promise<boolean>
  /** Asks a service that has started again for everything; what is not as it was said, in words. */
  settle(service: LineageProcess): Promise<string[]>
}

const SESSIONS_MAX = 4
/** Of the ended ones, which are asked for again after every crash. */
const ENDED_KEPT = 6

export function openPerson(
  account: Account,
  client: { readonly id: string },
  random: Random,
): Person {
  let sessions: Session[] = []
  /** One, or two while a change was not answered. */
  let passwords = ['correct horse']
  let changes = 0
  let status: 'active' | 'disabled' = 'active'
  /** Asked for together: they end together or not at all. */
  let together: Session[] = []
  const broken: string[] = []
  const asking = openPersonRequests(account, client)
  const alive = () => sessions.filter(({ fate }) => fate === 'live')

  /** `ended` may end now; once that is answered they have. */
  async function endings(ended: Session[], ask: () => Promise<number>): Promise<boolean> {
    for (const session of ended) session.fate = 'either'
    together = ended
    const said = await ask()
    if (said !== 200 && said !== 204) {
      if (!isNoAnswer(said)) broken.push(`${account.username} was answered ${said}`)
      return false
    }
    together = []
    for (const session of ended) session.fate = 'ended'
    return true
  }

  async function logIn(service: LineageProcess): Promise<boolean> {
    const { said, access, token } = await asking.logIn(service, passwords[0] ?? '')
    if (isNoAnswer(said)) return false
    if (said !== 200) broken.push(`${account.username} could not log in: ${said}`)
    else {
      const id = String(decodeJwt(access).sid)
      sessions.push({ id, tokens: [token], access, fate: 'live', isRobbed: false })
    }
    return true
  }

  async function refresh(service: LineageProcess, session: Session): Promise<boolean> {
    const { said, access, token } = await asking.refresh(service, session.tokens.at(-1) ?? '')
    if (said === 200) {
      session.tokens.push(token)
      session.access = access
    }
    if (said === 400) {
      session.fate = 'ended'
      broken.push(`session ${session.id} was refused`)
    }
    return !isNoAnswer(said)
  }

  async function rob(service: LineageProcess, session: Session): Promise<boolean> {
    const old = session.tokens.at(-3)
    if (old === undefined) return await refresh(service, session)
    session.fate = 'either'
    session.isRobbed = true
    const { said } = await asking.refresh(service, old)
    if (said === 200) broken.push(`session ${session.id}: an old token was good`)
    if (said === 400) session.fate = 'ended'
    return said === 400
  }

  async function setPassword(service: LineageProcess): Promise<boolean> {
    changes += 1
    const next = `correct horse ${changes}`
    passwords.push(next)
    const isDone = await endings(alive(), () => asking.setPassword(service, next))
    if (isDone) passwords = [next]
    return isDone
  }

  async function disable(service: LineageProcess): Promise<boolean> {
    status = 'disabled'
    if (!(await endings(alive(), () => asking.setStatus(service, 'disabled')))) return false
    if ((await asking.setStatus(service, 'active')) !== 200) return false
    status = 'active'
    return true
  }

  async function logOutOthers(service: LineageProcess, own: Session): Promise<boolean> {
    const others = alive().filter((session) => session !== own)
    return await endings(others, () => asking.logOutOthers(service, own.access))
  }

  async function step(service: LineageProcess): Promise<boolean> {
    const session = alive().length > 0 ? random.pick(alive()) : undefined
    if (!session || (alive().length < SESSIONS_MAX && random.next() < 0.1)) {
      return await logIn(service)
    }
    const dice = random.next()
    if (dice < 0.6) return await refresh(service, session)
    if (dice < 0.7) return await rob(service, session)
    if (dice < 0.82) {
      const token = session.tokens.at(-1) ?? ''
      return await endings([session], () => asking.revoke(service, token))
    }
    if (dice < 0.88) return await logOutOthers(service, session)
    if (dice < 0.92) return await endings(alive(), () => asking.logOutAll(service))
    return dice < 0.96 ? await setPassword(service) : await disable(service)
  }

  /** One that may have been disabled is active again, and one password is known. */
  async function settleUser(service: LineageProcess): Promise<void> {
    if (status === 'disabled') {
      const said = await answered(() => asking.setStatus(service, 'active'))
      if (said !== 200) broken.push(`${account.username} could not be enabled: ${said}`)
      status = 'active'
    }
    const tried = [...passwords]
    passwords = []
    for (const password of tried) {
      const { said, access, token } = await answeredTokens(() => asking.logIn(service, password))
      if (said !== 200) continue
      passwords = [password]
      const id = String(decodeJwt(access).sid)
      sessions.push({ id, tokens: [token], access, fate: 'live', isRobbed: false })
    }
    if (passwords.length > 0) return
    passwords = tried
    broken.push(`${account.username}: none of ${tried.length} passwords is good`)
  }

  async function settleSession(service: LineageProcess, session: Session): Promise<Fate> {
    const before = session.access
    const newest = session.tokens.at(-1) ?? ''
    const { said, access, token } = await answeredTokens(() => asking.refresh(service, newest))
    const seen = said === 200 ? 'live' : said === 400 ? 'ended' : 'either'
    if (seen === 'either') broken.push(`session ${session.id}: answered ${said}`)
    if (session.fate !== 'either' && seen !== session.fate) {
      broken.push(`session ${session.id} is ${seen}, and was said to be ${session.fate}`)
    }
    const verified = await answered(() => asking.verify(service, before))
    if (verified !== (seen === 'live' ? 200 : 401)) {
      broken.push(`session ${session.id} is ${seen}, its access token is answered ${verified}`)
    }
    if (seen === 'live') {
      session.tokens.push(token)
      session.access = access
    }
    session.fate = seen
    return seen
  }

  return {
    get sessions() {
      return sessions
    },
    step,
    async settle(service) {
      const fates = new Map<Session, Fate>()
      for (const session of sessions) fates.set(session, await settleSession(service, session))
      if (new Set(together.map((session) => fates.get(session))).size > 1) {
        broken.push(`${account.username}: of what ends together only a part has ended`)
      }
      together = []
      await settleUser(service)
      const ended = sessions.filter(({ fate }) => fate !== 'live')
      sessions = [...alive(), ...ended.slice(-ENDED_KEPT)]
      return broken.splice(0)
    },
  }
}
