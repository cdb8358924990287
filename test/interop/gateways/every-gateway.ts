// What every gateway is put through, whatever it is called and however it verifies.

import type { Test } from 'tap'
import {
  type Challenges,
  checkBearerSyntax,
  checkExpiry,
  checkIdentity,
  checkRefusals,
  type Subject,
} from './checks.ts'
import { checkForgedCertificates } from './forged-certificates.ts'
import { checkLargestIdentity } from './limit-checks.ts'
import { checkSpoofing } from './spoofing-checks.ts'
import { checkBadHeaders, checkTargets } from './target-checks.ts'
import { makeWriteTokens } from './tokens.ts'
import { checkBodies, checkPaths, checkUpstreamAnswers } from './traffic-checks.ts'

export async function checkEveryGateway(
  t: Test,
  subject: Subject,
  challenges?: Challenges,
): Promise<void> {
  const { scene, tokens } = subject
  await t.test('a user', (t) => checkIdentity(t, subject, tokens.user.access_token))
  await t.test('a client', (t) => checkIdentity(t, subject, tokens.client))
  await t.test('a user without roles', (t) => checkIdentity(t, subject, tokens.plain))
  await t.test('two audiences', (t) => checkIdentity(t, subject, tokens.forTwo))
  await t.test('the largest identity', (t) => checkLargestIdentity(t, subject))
  await checkRefusals(t, subject, challenges)
  await t.test('a token that expires', (t) => checkExpiry(t, subject))
  await t.test('how a token may be sent', (t) => checkBearerSyntax(t, subject))
  await t.test('headers from outside', (t) => checkSpoofing(t, subject))
  await t.test('certificates from outside', (t) => checkForgedCertificates(t, subject))
  await t.test('where another scope is demanded', async (t) => {
    const writeTokens = await makeWriteTokens(scene, tokens)
    const drafts = { ...subject, path: '/drafts/', tokens: writeTokens }
    await t.test('a user', (t) => checkIdentity(t, drafts, writeTokens.user.access_token))
    await t.test('a client', (t) => checkIdentity(t, drafts, writeTokens.client))
    await checkRefusals(t, drafts, challenges)
    await t.test('headers from outside', (t) => checkSpoofing(t, drafts))
  })
  await t.test('bodies', (t) => checkBodies(t, subject))
  await t.test('paths', (t) => checkPaths(t, subject))
  await t.test('hosts', (t) => checkTargets(t, subject))
  await t.test('headers that nobody takes', (t) => checkBadHeaders(t, subject))
  await t.test('what the upstream answers', (t) => checkUpstreamAnswers(t, subject))
}
