// Who acts in a token for its subject (RFC 8693 §4.1): a chain of clients, the newest first.

/** Of the chain; a longer one is neither made nor believed. */
export const ACTOR_DEPTH_MAX = 4

export interface Actor {
  readonly sub: string
  /** The actor before. */
  readonly act?: Actor
}

/** Whether a value of a token is a chain as we write it. */
export function isActor(value: unknown, depthLeft = ACTOR_DEPTH_MAX): value is Actor {
  if (typeof value !== 'object' || value === null || depthLeft === 0) return false
  const { sub, act, ...more } = value as Record<string, unknown>
  if (typeof sub !== 'string' || sub === '' || Object.keys(more).length > 0) return false
  return act === undefined || isActor(act, depthLeft - 1)
}

/** All who act or acted, the newest first; nobody where there is no chain. */
export function actorsOf(actor: Actor | undefined): readonly string[] {
  return actor ? [actor.sub, ...actorsOf(actor.act)] : []
}

/** The one party that may act next for the subject (RFC 8693 §4.4). */
export interface PermittedActor {
  readonly sub: string
}

/** Whether a value of a token names a party as we write it. */
export function isPermittedActor(value: unknown): value is PermittedActor {
  return isActor(value, 1) && value.act === undefined
}
