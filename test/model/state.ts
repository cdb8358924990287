// One state of the machine, and the five numbers that it is packed into. Everything is a small number, so
// that millions of states are kept; what the numbers of stores and records stand for is in stores.ts.

/** The two sessions, each with the honest client that holds it. */
export type Session = 0 | 1

/** Where a login stands: nobody is logged in, the record was read, the journal has it, tokens were given, over. */
export const LOGIN = { out: 0, read: 1, journalled: 2, in: 3, over: 4 } as const

/** The next step of a refresh that is under way, as in src/families/families.ts. */
export const ATTEMPT = {
  none: 0,
  findLogin: 1,
  putBeforeCreate: 2,
  create: 3,
  rotateCreated: 4,
  loadUser: 5,
  putLoaded: 6,
  rotateLoaded: 7,
  /** Only where a planted bug has read before it writes. */
  write: 8,
} as const

/** A call whose client has gone: none, of the token that the client holds, of the one before. */
export const GHOST = { none: 0, ofHeld: 1, ofEarlier: 2 } as const

export interface ClientState {
  readonly login: number
  /** The user's record that the login has read. */
  readonly record: number
  /** Of the refresh token that it holds. */
  readonly generation: number
  readonly attempt: number
  /** What the attempt has read: the user's record, or a store where a planted bug reads before it writes. */
  readonly attemptRead: number
  readonly ghost: number
  /** A refresh with the token that it holds may have happened, and it does not know. */
  readonly isUnanswered: number
  /** Somebody was told that this session has ended. */
  readonly isAcknowledged: number
  /** Somebody has begun to end it, or a theft was found. */
  readonly isEndBegun: number
  /** The store has ended it for a replay; the journal does not know yet. */
  readonly isReplayUnjournalled: number
}

/** The next step of a revocation, as in src/families/family-ending.ts. */
export const REVOKE = {
  none: 0,
  journalThenEnd: 2,
  journalOnly: 3,
  journalBlindly: 4,
  end: 5,
  endUnjournalled: 6,
} as const

/** Of a change of the user: not begun, committed, over; told before the journal was (a planted bug). */
export const CHANGE = { none: 0, put: 1, over: 2, journalAfterwards: 3 } as const

export interface ChangeState {
  readonly at: number
  readonly record: number
}

export const REPLAY = { none: 0, apply: 1 } as const

/** Which entries the journal has of sessions; the one of the user is a record. */
export const ENTRY = {
  login: (session: Session) => 1 << session,
  end: (session: Session) => 4 << session,
}

export interface State {
  readonly store: number
  readonly isGateOpen: number
  readonly replay: number
  readonly replayEntries: number
  readonly replayUser: number
  /** A store that a failover brings back, plus one; 0 while no replica lags. */
  readonly replica: number
  /** The user's record in PostgreSQL, and the one in its journal; 0 stands for the first. */
  readonly truth: number
  readonly journalUser: number
  readonly journal: number
  /** 0 has nothing, else one more than the generation of the token that was stolen from session 0; gone. */
  readonly thief: number
  readonly wasServedThief: number
  readonly revoke: number
  readonly revokeOf: Session
  readonly revokesLeft: number
  readonly failoversLeft: number
  readonly restartsLeft: number
  /** The server was emptied and the poll has not met it yet. */
  readonly isEmptiedUnseen: number
  readonly clients: readonly [ClientState, ClientState]
  readonly changes: readonly [ChangeState, ChangeState]
}

export const THIEF_GONE = 7
export const WORDS = 6

/** Writes the state into `words`, of which there are `WORDS`. */
export function pack(state: State, words: Uint32Array): void {
  const { clients, changes } = state
  words[0] =
    state.store | (state.isGateOpen << 20) | (state.replay << 21) | (state.replayUser << 23)
  words[1] = state.replica | (state.truth << 21) | (state.journalUser << 26)
  words[2] =
    state.thief |
    (state.wasServedThief << 3) |
    (state.revoke << 4) |
    (state.revokeOf << 7) |
    (state.revokesLeft << 8) |
    (state.failoversLeft << 10) |
    (state.restartsLeft << 11) |
    (state.isEmptiedUnseen << 13) |
    (state.replayEntries << 14) |
    (state.journal << 18)
  words[3] = packClient(clients[0])
  words[4] = packClient(clients[1])
  words[5] =
    changes[0].at |
    (changes[0].record << 2) |
    (changes[1].at << 7) |
    (changes[1].record << 9) |
    (readOf(clients[0]) << 14)
}

function packClient(client: ClientState): number {
  return (
    client.login |
    (client.record << 3) |
    (client.generation << 8) |
    (client.attempt << 11) |
    ((client.attempt === ATTEMPT.write ? 0 : client.attemptRead) << 15) |
    (client.ghost << 20) |
    (client.isUnanswered << 22) |
    (client.isAcknowledged << 23) |
    (client.isEndBegun << 24) |
    (client.isReplayUnjournalled << 25)
  )
}

/** A store is too large for the client's own word; only session 0 ever reads one. */
function readOf({ attempt, attemptRead }: ClientState): number {
  return attempt === ATTEMPT.write ? attemptRead : 0
}

/** Reads the state that lies at `from`. */
export function unpack(words: Uint32Array, from: number): State {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0] = [
    words[from],
    words[from + 1],
    words[from + 2],
    words[from + 3],
    words[from + 4],
    words[from + 5],
  ]
  return {
    store: w0 & 0xfffff,
    isGateOpen: (w0 >>> 20) & 1,
    replay: (w0 >>> 21) & 3,
    replayEntries: (w2 >>> 14) & 15,
    replayUser: (w0 >>> 23) & 31,
    replica: w1 & 0x1fffff,
    truth: (w1 >>> 21) & 31,
    journalUser: (w1 >>> 26) & 31,
    journal: (w2 >>> 18) & 15,
    thief: w2 & 7,
    wasServedThief: (w2 >>> 3) & 1,
    revoke: (w2 >>> 4) & 7,
    revokeOf: ((w2 >>> 7) & 1) as Session,
    revokesLeft: (w2 >>> 8) & 3,
    failoversLeft: (w2 >>> 10) & 1,
    restartsLeft: (w2 >>> 11) & 1,
    isEmptiedUnseen: (w2 >>> 13) & 1,
    clients: [unpackClient(w3, w5 >>> 14), unpackClient(w4, 0)],
    changes: [
      { at: w5 & 3, record: (w5 >>> 2) & 31 },
      { at: (w5 >>> 7) & 3, record: (w5 >>> 9) & 31 },
    ],
  }
}

function unpackClient(word: number, storeRead: number): ClientState {
  const attempt = (word >>> 11) & 15
  return {
    login: word & 7,
    record: (word >>> 3) & 31,
    generation: (word >>> 8) & 7,
    attempt,
    attemptRead: attempt === ATTEMPT.write ? storeRead : (word >>> 15) & 31,
    ghost: (word >>> 20) & 3,
    isUnanswered: (word >>> 22) & 1,
    isAcknowledged: (word >>> 23) & 1,
    isEndBegun: (word >>> 24) & 1,
    isReplayUnjournalled: (word >>> 25) & 1,
  }
}
