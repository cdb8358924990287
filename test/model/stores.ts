// What the machine's numbers stand for: records of the user, and what a server of Redis holds. Each step of
// a store is run once by the rules of user-families.ts and remembered, because the machine takes it again in
// thousands of states. Time has two values here, within the grace and past it.

import type { Family, FamilyId } from '../../src/families/family.ts'
import type { UserRecord } from '../../src/users/user.ts'
import type { Session } from './state.ts'
import {
  type createFamily,
  type endFamily,
  findFamily,
  type putUser,
  type rotateFamily,
  type UserFamilies,
  whyDead,
} from './user-families.ts'
import { ending, loginOf, newUserSessions, nextEpoch, presenting } from './user-sessions.ts'

export interface StoreRules {
  readonly rotate: typeof rotateFamily
  readonly end: typeof endFamily
  readonly create: typeof createFamily
  readonly putUser: typeof putUser
}

/** What a server holds of the user, and which entries of the journal its mark covers. */
export interface Server {
  readonly families: UserFamilies
  readonly entries: number
  readonly user: number
}

/** `given` is the generation of the refresh token in the answer. */
export interface Rotation {
  readonly outcome: 'rotated' | 'retried' | 'replayed' | 'unknown' | 'stale' | 'refused'
  readonly given: number
  readonly after: number
}

export type Change = 'logOutAll' | 'disable' | 'allBut0' | 'allBut1'

const IDS = ['session-0', 'session-1'] as FamilyId[] as [FamilyId, FamilyId]
const GRACE_MS = 500
const NOW_MS = 1_000
const LONG_AGO_MS = 0

/** The records that changes can make of the first one. `first` is 0, so 0 also says: none in the journal. */
export interface Records {
  get(record: number): UserRecord
  /** Undefined for a change that changes nothing. */
  next(record: number, change: Change): number | undefined
  /** The number of a record that a store holds. */
  find(record: UserRecord): number
  /** The session that the newest epoch keeps. */
  keptBy(record: number): Session | undefined
  /** Whether a session whose login has read `record` is over by the newer one. */
  isPassed(session: Session, record: number, newer: number): boolean
}

/** `keepsInRecord` is false for a planted bug: then nobody sees in a record which family it keeps. */
export function openRecords(keepsInRecord: boolean): Records {
  const first = newUserSessions('user').copy as UserRecord
  /** `meant` is the record as it should be, by which the outside judges. */
  const records: { record: UserRecord; meant: UserRecord; change?: Change }[] = [
    { record: first, meant: first },
  ]
  const made = new Map<string, number>()
  const passed = new Map<number, boolean>()
  const get = (record: number) => {
    const found = records[record]
    if (!found) throw new Error(`there is no record ${record}`)
    return found
  }

  return {
    get: (record) => get(record).record,
    find: (record) => records.findIndex((one) => one.record === record),
    keptBy: (record) => keptBy(get(record).change),

    next(record, change) {
      const before = get(record)
      if (before.record.status !== 'active') return undefined
      const name = `${record} ${change}`
      const held = made.get(name)
      if (held !== undefined) return held
      const meant = changed(before.meant, change, keptBy(change))
      const stored = keepsInRecord ? meant : changed(before.record, change, undefined)
      records.push({ record: stored, meant, change })
      made.set(name, records.length - 1)
      return records.length - 1
    },

    isPassed(session, record, newer) {
      const key = session | (record << 1) | (newer << 6)
      const held = passed.get(key)
      if (held !== undefined) return held
      const [read, user] = [get(record).meant, get(newer).meant]
      const family = { ...bareFamily(IDS[session]), epoch: read.epoch }
      const isOver = user.version > read.version && !!whyDead(family, user, NOW_MS, 0)
      passed.set(key, isOver)
      return isOver
    },
  }
}

function changed(before: UserRecord, change: Change, kept: Session | undefined): UserRecord {
  if (change === 'disable') return nextEpoch(before, 'user_disabled', LONG_AGO_MS)
  const family = kept === undefined ? undefined : { familyId: IDS[kept] }
  return nextEpoch(before, 'logged_out_everywhere', LONG_AGO_MS, family)
}

function keptBy(change: Change | undefined): Session | undefined {
  if (change === 'allBut0') return 0
  return change === 'allBut1' ? 1 : undefined
}

function bareFamily(familyId: FamilyId): Family {
  const user = newUserSessions('user').copy as UserRecord
  const begun = { generation: 0, epoch: 0, rotatedAtMs: NOW_MS, usedAtMs: NOW_MS }
  return {
    ...loginOf(user, familyId, LONG_AGO_MS).family,
    ...begun,
    userId: user.userId,
    ended: undefined,
    retriedElsewhere: 0,
  }
}

/** The raw steps of a store, without numbers. */
export function openServerSteps(rules: StoreRules, records: Records) {
  const user = records.get(0)
  const moved = (server: Server, families: UserFamilies): Server => ({ ...server, families })

  return {
    rotate(server: Server, session: Session, generation: number) {
      const token = { familyId: IDS[session], generation }
      const { answer, after } = rules.rotate(
        server.families,
        presenting(user, token, NOW_MS, GRACE_MS),
      )
      return { answer, after: moved(server, after) }
    },

    end(server: Server, session: Session): Server {
      return moved(
        server,
        rules.end(server.families, ending(user, IDS[session], LONG_AGO_MS)).after,
      )
    },

    put(server: Server, record: number): Server {
      return moved(server, rules.putUser(server.families, records.get(record)))
    },

    /** As a release did it that told the kept family to Redis beside the record. */
    stamp(server: Server, session: Session, epoch: number): Server {
      const stamped = server.families.families.map((family) =>
        family.familyId === IDS[session] && family.epoch === epoch - 1
          ? { ...family, epoch }
          : family,
      )
      return moved(server, { ...server.families, families: stamped })
    },

    create(server: Server, session: Session, record: number) {
      const login = loginOf(records.get(record), IDS[session], NOW_MS)
      const { answer, after } = rules.create(server.families, login)
      return { isCreated: answer.outcome === 'created', after: moved(server, after) }
    },

    look(server: Server, session: Session) {
      const { copy } = server.families
      const family = findFamily(server.families, IDS[session])
      if (!family) return 'unknown'
      if (family.ended) return 'ended'
      if (!copy || copy.epoch < family.epoch) return 'stale'
      return whyDead(family, copy, NOW_MS, 0) ? 'passed' : 'alive'
    },

    generationOf: (server: Server, session: Session) =>
      findFamily(server.families, IDS[session])?.generation,

    /** The family as `from` would have it after the rotation, put into `server`: a lost update. */
    writeBack(server: Server, session: Session, from: Server): Server {
      const family = findFamily(from.families, IDS[session])
      const others = server.families.families.filter((one) => one.familyId !== IDS[session])
      const families = family ? [...others, family] : others
      return moved(server, { ...server.families, families })
    },

    /** The grace of everything that has happened is over, and no call is left. */
    tick(server: Server): Server {
      const age = (family: Family): Family => ({
        ...family,
        rotatedAtMs: LONG_AGO_MS,
        usedAtMs: LONG_AGO_MS,
      })
      const { copy, families } = server.families
      return moved(server, { copy, families: families.map(age) })
    },
  }
}

/** One number for all servers that have the same future. */
export function keyOfServer(server: Server, records: Records): number {
  const { copy } = server.families
  const parts = IDS.map((familyId) => {
    const family = findFamily(server.families, familyId)
    if (!family) return 0
    const { generation, ended, epoch, rotatedAtMs } = family
    const isYoung = rotatedAtMs === NOW_MS
    return 1 + (generation | (Number(isYoung) << 3) | (Number(!!ended) << 4) | (epoch << 5))
  })
  const { endedUnknown = [] } = server.families
  const ended = IDS.map((id, index) => (endedUnknown.includes(id) ? 16 << index : 0))
  const rest = [server.entries | (ended[0] ?? 0) | (ended[1] ?? 0), server.user]
  const numbers = [copy ? records.find(copy) + 1 : 0, ...parts, ...rest]
  return numbers.reduce((key, number) => key * 512 + number, 0)
}
