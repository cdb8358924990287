// Ordinary traffic at a running service for as long as a test wants it: logins, good and bad, refreshes and
// what a client repeats.

import { type HttpTools, logIn, type TokenAnswer } from '../support/app.ts'

export interface Traffic {
  /** Resolves when the last request has been answered. */
  stop(): Promise<void>
}

const REFRESHES_PER_LOGIN = 5

/** Begins when a first login has worked. */
export async function startTraffic(
  service: Pick<HttpTools, 'form' | 'makeClient' | 'makeUser' | 'adminToken' | 'admin'>,
): Promise<Traffic> {
  const client = await service.makeClient({
    ...{ type: 'public', grantTypes: ['password', 'refresh_token'] },
  })
  const user = await service.makeUser()
  let isOver = false

  async function goOn(first: TokenAnswer): Promise<void> {
    let token: string | undefined = first.refresh_token
    for (let number = 0; !isOver && token !== undefined; number += 1) {
      const answer = await service.form('/token', {
        ...{ grant_type: 'refresh_token', client_id: client.id, refresh_token: token },
      })
      const body = (await answer.json()) as Partial<TokenAnswer>
      token =
        number % REFRESHES_PER_LOGIN === 0
          ? (await logIn(service, client, user)).refresh_token
          : body.refresh_token
    }
  }

  // A service that a test takes away ends it, too.
  const running = goOn(await logIn(service, client, user)).catch(() => {})
  return {
    async stop() {
      isOver = true
      await running
    },
  }
}
