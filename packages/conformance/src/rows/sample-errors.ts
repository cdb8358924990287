// One refusal of each kind, for the checks that look at how refusals are worded. What is wrong in each
// request carries a marker, and characters that must not come back.

import { needsGrant, needsUser } from '../check-needs.ts'
import { postBody } from '../form-request.ts'
import type { Answer } from '../http-exchange.ts'
import type { TestedService } from '../tested-service.ts'

export const MARKER = 'conformance-marker'
const HOSTILE = `${MARKER}"\\<b>\u0001ü`

export async function collectErrors(
  service: TestedService,
): Promise<readonly (readonly [what: string, answer: Answer])[]> {
  const { confidentialClient: client, user } = service.credentials
  const post = (parameters: Record<string, string>, sender = client) =>
    service.post('token', parameters, sender)
  const errors: [string, Answer][] = [
    ['a missing grant type', await post({ [HOSTILE]: HOSTILE })],
    ['an unknown grant type', await post({ grant_type: HOSTILE })],
    [
      'an unknown client',
      await post({ grant_type: 'client_credentials' }, { id: HOSTILE, secret: HOSTILE }),
    ],
    [
      'a repeated parameter',
      await postBody(service, 'token', {
        body: `grant_type=client_credentials&${MARKER}=1&grant_type=${MARKER}`,
        client,
      }),
    ],
  ]
  if (needsGrant('refresh_token')(service) === undefined) {
    const refresh = { grant_type: 'refresh_token', refresh_token: HOSTILE }
    errors.push(['an unknown refresh token', await post(refresh)])
  }
  if (needsGrant('client_credentials')(service) === undefined) {
    const scope = await post({ grant_type: 'client_credentials', scope: HOSTILE })
    errors.push(['a bad scope', scope])
  }
  if (user && needsUser(service) === undefined) {
    const login = { grant_type: 'password', username: HOSTILE, password: HOSTILE }
    errors.push(['an unknown user', await post(login)])
    const known = { ...login, username: user.username }
    errors.push(['a wrong password', await post(known)])
  }
  return errors
}
