// Whether PostgreSQL has shown any sign of life a moment ago, over whichever connection. A statement that
// is not answered in time says little: its table may be locked, or its server busy with ours. Only a
// server that answers nobody is away.

/** For how long an answer is a sign that the server is there. */
const RECENT_MS = 1_000

export interface ServerSigns {
  /** The server has answered somebody. */
  heard(): void
  /** By the moment that is given; by now unless one is. */
  wasHeardLately(atMs?: number): boolean
  /** Asks it, and does not wait: an answer is heard. Does nothing while it is being asked. */
  ask(): void
}

/** `question` is one statement that waits for nobody, within a deadline of its own. */
export function openServerSigns(question: () => Promise<unknown>): ServerSigns {
  let heardAtMs = Number.NEGATIVE_INFINITY
  let isAsking = false
  return {
    heard() {
      heardAtMs = performance.now()
    },
    wasHeardLately: (atMs = performance.now()) => atMs - heardAtMs < RECENT_MS,
    ask() {
      if (isAsking) return
      isAsking = true
      const asked = () => {
        isAsking = false
      }
      question().then(asked, asked)
    },
  }
}
