// Attacks upon a token exchange: what is tried, the public answer and the reason that is logged.

import type { Test } from 'tap'
import {
  ACCESS_TOKEN,
  type ExchangeAnswer,
  type ExchangeScene,
  type Form,
  openExchangeScene,
  type Store,
} from './exchange-scene.ts'

export const BAD_TOKEN = {
  error: 'invalid_request',
  error_description: 'The subject_token or the actor_token is not accepted.',
}

export interface Attack {
  readonly body: object
  readonly reason: string
  readonly run: (scene: ExchangeScene) => Promise<ExchangeAnswer>
}

export const actor = (token: string): Form => ({
  actor_token: token,
  actor_token_type: ACCESS_TOKEN,
})

/** An exchange whose form alone is wrong. */
export function asking(form: Form, by?: string): Attack['run'] {
  return async (scene) => await scene.exchange(await scene.logIn(), form, by)
}

/** Exchanges a token after something happened to it, its user or its client. */
export function after(
  act: (scene: ExchangeScene, token: string) => Promise<unknown>,
): Attack['run'] {
  return async (scene) => {
    const token = await scene.logIn()
    if ((await scene.exchange(token)).status !== 200) throw new Error('it is not good before')
    await act(scene, token)
    return await scene.exchange(token)
  }
}

/** One after the other upon one service. */
export async function runAttacks(
  t: Test,
  store: Store,
  attacks: Readonly<Record<string, Attack>>,
): Promise<void> {
  const scene = await openExchangeScene(t, store)
  for (const [what, { body, reason, run }] of Object.entries(attacks)) {
    const answer = await run(scene)
    t.strictSame([answer.status, answer.body], [400, body], what)
    t.equal(scene.lastReason(), reason, what)
  }
}
