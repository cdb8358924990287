// A browser app whose refresh token travels in a cookie, and which sends proofs.

import type { Test } from 'tap'
import { startApp } from '../support/app.ts'

const ORIGIN = 'https://app.example.test'

export async function startBrowserClient(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({ tokenDelivery: 'cookie', allowedOrigins: [ORIGIN] })
  const { username, password } = await app.makeUser()
  const post = async (form: Record<string, string>, headers: Record<string, string>) =>
    await app.form('/token', { client_id: client.id, ...form }, { origin: ORIGIN, ...headers })
  return {
    /** The cookie, as it is sent back. */
    async logIn(dpop: string): Promise<string> {
      const answer = await post({ grant_type: 'password', username, password }, { dpop })
      return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    },
    refresh: async (cookie: string, dpop?: string) =>
      await post({ grant_type: 'refresh_token' }, { cookie, ...(dpop && { dpop }) }),
  }
}
