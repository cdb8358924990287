// C9: bodies that are meant to hurt the parser behind the token endpoint.

import { expect } from '../conformance-check.ts'
import { expectSuccess, hasSameScope } from '../expect-answer.ts'
import { postBody, settle } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'

const GRANT = 'grant_type=client_credentials'
const LARGE_BYTES = 2 * 1024 * 1024
const DEEP = 500

const PROTOTYPE_BODIES = [
  `${GRANT}&__proto__[scope]=conformance&__proto__[admin]=1&__proto__=x`,
  `${GRANT}&constructor[prototype][scope]=conformance&prototype=x`,
  `${GRANT}&toString=x&hasOwnProperty=x&valueOf[a]=x`,
]

const BAD_ENCODINGS: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['a bad escape', `${GRANT}&conformance_unknown=%zz`],
  ['half an escape', `${GRANT}&conformance_unknown=%4`],
  ['an escape that is not UTF-8', `${GRANT}&conformance_unknown=%ff%fe`],
  ['a byte that is not UTF-8', Buffer.from(`${GRANT}&conformance_unknown=\xff`, 'latin1')],
]

export async function checkHostileBodies(service: TestedService): Promise<void> {
  const { scope } = (await service.issueToClient()).json
  const client = service.credentials.confidentialClient
  const padding = 'a'.repeat(LARGE_BYTES)
  const large = { body: `${GRANT}&conformance_unknown=${padding}`, client }
  const refused = await settle(postBody(service, 'token', large))
  const isRefused = refused === undefined || (refused.status >= 400 && refused.status < 500)
  expect(isRefused, `2 MiB were answered with ${refused ? describeAnswer(refused) : ''}`)
  const deep = `${GRANT}&a${'[a]'.repeat(DEEP)}=x&b${'[]'.repeat(DEEP)}=x`
  for (const body of [deep, ...PROTOTYPE_BODIES]) {
    const answer = await settle(postBody(service, 'token', { body, client }))
    const isHarmless = answer === undefined || answer.status < 500
    expect(isHarmless, `a deep or prototype name gave ${answer ? describeAnswer(answer) : ''}`)
    const after = await service.issueToClient()
    expect(hasSameScope(after.json.scope, scope), 'a prototype name changed later requests')
  }
  for (const [what, body] of BAD_ENCODINGS) {
    const answer = await postBody(service, 'token', { body, client })
    expect(answer.status === 400, `${what} was answered with ${describeAnswer(answer)}, not 400`)
  }
  expectSuccess(await service.issueToClient(), 'an ordinary request after all of them')
}
