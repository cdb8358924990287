// The spaces that are searched: how much may happen in each. What is together in one space meets in every
// order; no space has everything, because that many states do not fit.

import type { Bounds } from './machine.ts'

/** One client with three generations, one failover and one restart, and nobody who ends anything. */
export const BARE: Bounds = {
  clients: 1,
  generations: 3,
  hasThief: false,
  revocations: 0,
  changes: 0,
  changeKinds: [],
  failovers: 1,
  restarts: 1,
}

export interface Space {
  readonly name: string
  readonly bounds: Bounds
}

const TWO: Bounds = { ...BARE, clients: 2 }
const ONE_CLIENTS_KINDS = ['logOutAll', 'disable', 'allBut0'] as const

/** Two clients with three generations each, one failover and one restart, and one who ends something. */
export const WHOLE_SPACES: readonly Space[] = [
  { name: 'a theft', bounds: { ...TWO, hasThief: true } },
  { name: 'a revocation', bounds: { ...TWO, revocations: 1 } },
  { name: 'logged out everywhere', bounds: { ...TWO, changes: 1, changeKinds: ['logOutAll'] } },
  { name: 'disabled', bounds: { ...TWO, changes: 1, changeKinds: ['disable'] } },
  { name: 'all but the first', bounds: { ...TWO, changes: 1, changeKinds: ['allBut0'] } },
  { name: 'all but the second', bounds: { ...TWO, changes: 1, changeKinds: ['allBut1'] } },
]

/** One client, and two who end something. */
export const PAIR_SPACES: readonly Space[] = [
  { name: 'a revocation, repeated', bounds: { ...BARE, revocations: 2 } },
  { name: 'a theft and a revocation', bounds: { ...BARE, hasThief: true, revocations: 1 } },
  {
    name: 'a theft and a change of the user',
    bounds: { ...BARE, hasThief: true, changes: 1, changeKinds: ONE_CLIENTS_KINDS },
  },
  {
    name: 'a revocation and a change of the user',
    bounds: { ...BARE, revocations: 1, changes: 1, changeKinds: ONE_CLIENTS_KINDS },
  },
  {
    name: 'two changes of the user',
    bounds: { ...BARE, changes: 2, changeKinds: ONE_CLIENTS_KINDS },
  },
]

/** What every run of the tests searches. */
export const SMALL_SPACES: readonly Space[] = [
  { name: 'a theft', bounds: { ...BARE, hasThief: true, restarts: 0 } },
  { name: 'a revocation', bounds: { ...BARE, revocations: 1 } },
  { name: 'a change of the user', bounds: { ...BARE, changes: 1, changeKinds: ONE_CLIENTS_KINDS } },
  {
    name: 'two clients',
    bounds: { ...TWO, generations: 2, revocations: 1, failovers: 0, restarts: 0 },
  },
]
