// Numbers servers: two that have the same future have one number. What a step makes of a server is worked
// out once.

import type { Session } from './state.ts'
import {
  keyOfServer,
  openServerSteps,
  type Records,
  type Rotation,
  type Server,
  type StoreRules,
} from './stores.ts'

export type Look = ReturnType<ReturnType<typeof openServerSteps>['look']>

export interface ServerTable {
  readonly first: number
  readonly empty: number
  readonly size: number
  get(store: number): Server
  rotate(store: number, session: Session, generation: number): Rotation
  /** What a rotation makes of the family as it was in `read`, written into `store` as it is now. */
  writeBack(store: number, session: Session, read: number): number
  end(store: number, session: Session): number
  put(store: number, record: number): number
  stamp(store: number, session: Session, epoch: number): number
  create(store: number, session: Session, record: number): { isCreated: boolean; after: number }
  look(store: number, session: Session): Look
  generationOf(store: number, session: Session): number | undefined
  tick(store: number): number
  /** The mark covers these entries as well. */
  raise(store: number, entries: number, user: number): number
}

/** The first server knows the user and session 0, whose login the journal has. */
export function openServerTable(rules: StoreRules, records: Records): ServerTable {
  const steps = openServerSteps(rules, records)
  const servers: Server[] = []
  const numbers = new Map<number, number>()

  function numberOf(server: Server): number {
    const key = keyOfServer(server, records)
    const held = numbers.get(key)
    if (held !== undefined) return held
    servers.push(server)
    numbers.set(key, servers.length - 1)
    return servers.length - 1
  }

  function get(store: number): Server {
    const server = servers[store]
    if (!server) throw new Error(`there is no store ${store}`)
    return server
  }

  /** Codes are below 4096. */
  function remembered<Value>(work: (store: number, code: number) => Value) {
    const known = new Map<number, Value>()
    return (store: number, code: number): Value => {
      const key = store * 4096 + code
      const held = known.get(key)
      if (held !== undefined) return held
      const value = work(store, code)
      known.set(key, value)
      return value
    }
  }

  const sessionOf = (code: number) => (code & 1) as Session

  const rotate = remembered((store, code): Rotation => {
    const { answer, after } = steps.rotate(get(store), sessionOf(code), code >> 1)
    const number = numberOf(after)
    if (answer.outcome === 'user_stale') return { outcome: 'stale', given: 0, after: number }
    if (answer.outcome === 'inactive') {
      const outcome = answer.reason === 'family_unknown' ? 'unknown' : 'refused'
      return { outcome, given: 0, after: number }
    }
    if (answer.outcome === 'refused' || answer.outcome === 'kept') {
      throw new Error(`the machine asks for nothing that is ${answer.outcome}`)
    }
    return { outcome: answer.outcome, given: answer.family.generation, after: number }
  })
  const end = remembered((store, code) => numberOf(steps.end(get(store), sessionOf(code))))
  const put = remembered((store, code) => numberOf(steps.put(get(store), code)))
  const stamp = remembered((store, code) =>
    numberOf(steps.stamp(get(store), sessionOf(code), code >> 1)),
  )
  const create = remembered((store, code) => {
    const { isCreated, after } = steps.create(get(store), sessionOf(code), code >> 1)
    return { isCreated, after: numberOf(after) }
  })
  const look = remembered((store, code) => steps.look(get(store), sessionOf(code)))
  const tick = remembered((store) => numberOf(steps.tick(get(store))))
  const raise = remembered((store, code) => {
    const { families, entries, user } = get(store)
    const newest = Math.max(user, code >> 4)
    return numberOf({ families, entries: entries | (code & 15), user: newest })
  })
  const withNothing = { copy: undefined, families: [] }
  const empty = numberOf({ families: withNothing, entries: 0, user: 0 })
  const first = steps.create({ ...get(empty), entries: 0 }, 0, 0).after

  return {
    first: numberOf(steps.tick(first)),
    empty,
    get size() {
      return servers.length
    },
    get,
    rotate: (store, session, generation) => rotate(store, session | (generation << 1)),
    writeBack: (store, session, read) => numberOf(steps.writeBack(get(store), session, get(read))),
    end: (store, session) => end(store, session),
    put,
    stamp: (store, session, epoch) => stamp(store, session | (epoch << 1)),
    create: (store, session, record) => create(store, session | (record << 1)),
    look: (store, session) => look(store, session),
    generationOf: (store, session) => steps.generationOf(get(store), session),
    tick: (store) => tick(store, 0),
    raise: (store, entries, user) => raise(store, entries | (user << 4)),
  }
}
