// C25 and C26: HTTP Basic as RFC 6749 §2.3.1 has it, and what only looks like it.

import { expect, NotApplicable } from '../conformance-check.ts'
import { expectSuccess } from '../expect-answer.ts'
import { postBody } from '../form-request.ts'
import type { Answer } from '../http-exchange.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'

const BODY = 'grant_type=client_credentials'

export async function checkBasicEncoding(service: TestedService): Promise<void> {
  const { confidentialClient, specialClient } = service.credentials
  const { id = '', secret = '', authMethod } = confidentialClient ?? {}
  const methods = service.metadata.token_endpoint_auth_methods_supported
  const isOffered = !Array.isArray(methods) || methods.includes('client_secret_basic')
  if (authMethod === 'client_secret_post' && isOffered) {
    throw new NotApplicable('the confidential client does not authenticate by Basic')
  }
  await service.issueToClient()
  const pairs = [
    ['Basic', [id, secret].map(formEncode)],
    ['Basic with every byte escaped', [id, secret].map(escapeAll)],
    ['Basic with escapes in lower case', [id, secret].map((text) => escapeAll(text).toLowerCase())],
  ] as const
  for (const [what, pair] of pairs) {
    expectSuccess(await post(service, toBasic(pair.join(':'))), what)
  }
  if (!specialClient) return
  const special = [specialClient.id, specialClient.secret]
  for (const encode of [formEncode, escapeAll]) {
    const answer = await post(service, toBasic(special.map(encode).join(':')))
    // Which grants it may use is not the question.
    const isKnown = answer.status === 200 || answer.json.error === 'unauthorized_client'
    expect(isKnown, `special characters in Basic were answered with ${describeAnswer(answer)}`)
  }
}

export async function checkBadBasic(service: TestedService): Promise<void> {
  const { id = '', secret = '' } = service.credentials.confidentialClient ?? {}
  const bad = [
    ['no base64', 'Basic !!!!'],
    ['nothing after Basic', 'Basic'],
    ['an empty value after Basic', 'Basic '],
    ['no colon', toBasic('conformance')],
    ['a colon alone', toBasic(':')],
    ['no id', toBasic(`:${secret}`)],
    ['bytes that are not UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`],
    ['a bad escape', toBasic('%zz:%')],
    ['a NUL', toBasic('conformance\u0000:\u0000')],
    ['the scheme Bearer', `Bearer ${Buffer.from(`${id}:${secret}`).toString('base64')}`],
    ['the scheme Digest', 'Digest username="conformance", response="x"'],
    ['an unknown scheme', 'Conformance x'],
    ['8 KiB of Basic', toBasic(`conformance:${'x'.repeat(6_000)}`)],
  ] as const
  for (const [what, header] of bad) {
    const answer = await post(service, header)
    const code = answer.json.error
    const isClean = code === 'invalid_client' || code === 'invalid_request'
    // A server in front may cap headers by itself (RFC 6585 §5).
    const isCapped = answer.status === 431 || answer.status === 413
    const isRight = (isClean && (answer.status === 400 || answer.status === 401)) || isCapped
    expect(isRight, `Authorization with ${what} was answered with ${describeAnswer(answer)}`)
  }
  await service.issueToClient()
}

function post(service: TestedService, header: string): Promise<Answer> {
  return postBody(service, 'token', { body: BODY, headers: [['Authorization', header]] })
}

function toBasic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ a: text }).toString().slice(2)
}

function escapeAll(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase().replaceAll(/../g, '%$&')
}
