// Whose subject a client's identity names, and whose it does not: exactly, or within one segment.

import { test } from 'tap'
import {
  checkFederation,
  type FederationMatch,
  matchFederation,
} from '../../src/clients/client-federation.ts'
import type { FederatedIdentity } from '../../src/clients/client-settings.ts'

const MAIN = 'repo:acme/web:ref:refs/heads/main'

function match(identity: Partial<FederatedIdentity>, claims: { sub: string }): FederationMatch {
  const all = { trustedIssuer: 'github', subject: MAIN, ...identity }
  return matchFederation({ federatedIdentities: [all] }, 'github', claims)
}

test('a subject is the same text, or the star stands for something within one segment', async (t) => {
  const same: readonly (readonly [pattern: string, subject: string])[] = [
    [MAIN, MAIN],
    ['repo:acme/web:ref:refs/heads/*', MAIN],
    ['repo:acme/*:environment:prod', 'repo:acme/api:environment:prod'],
    ['repo:acme/web-*:environment:prod', 'repo:acme/web-7:environment:prod'],
    ['spiffe://example.org/ns/*/sa/api', 'spiffe://example.org/ns/prod/sa/api'],
  ]
  for (const [subject, sub] of same) t.equal(match({ subject }, { sub }), 'matches', subject)
  const other: readonly (readonly [pattern: string, subject: string])[] = [
    [MAIN, `${MAIN}2`],
    [MAIN, MAIN.slice(0, -1)],
    [MAIN, ` ${MAIN}`],
    [MAIN, MAIN.toUpperCase()],
    [MAIN, MAIN.replace('a', 'а')],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/a/b'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/a:environment:prod'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/a%2Fb'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/a\\b'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/a∕b'],
    ['repo:acme/web:ref:refs/heads/*', 'repo:acme/web:ref:refs/heads/*'],
    ['repo:acme/*:environment:prod', 'repo:acme/x:ref:refs/heads/y:environment:prod'],
    ['repo:acme/*:environment:prod', 'repo:acme/environment:prod'],
    ['spiffe://example.org/ns/*/sa/api', 'spiffe://example.org/ns/a/b/sa/api'],
  ]
  for (const [subject, sub] of other) {
    t.equal(match({ subject }, { sub }), 'subject_differs', `${subject} and ${sub}`)
  }
})

test('claims are there as own strings with exactly these values', async (t) => {
  const claims = { repository_id: '7', environment: 'prod' }
  const right = { sub: MAIN, ...claims, more: true }
  t.equal(match({ claims }, right), 'matches')
  for (const wrong of [{ environment: 'prod2' }, { environment: ['prod'] }, { repository_id: 7 }]) {
    t.equal(match({ claims }, { ...right, ...wrong }), 'claims_differ')
  }
  t.equal(match({ claims: { constructor: 'x' } }, { sub: MAIN }), 'claims_differ')
})

test('an empty list is nobody, and another issuer is somebody else', async (t) => {
  t.equal(
    matchFederation({ federatedIdentities: [] }, 'github', { sub: MAIN }),
    'issuer_not_listed',
  )
  t.equal(match({ trustedIssuer: 'gitlab' }, { sub: MAIN }), 'issuer_not_listed')
})

test('what may be said of an identity', async (t) => {
  const pointersOf = (identity: Partial<FederatedIdentity>, type = 'confidential' as const) => {
    const all = { trustedIssuer: 'github', subject: MAIN, ...identity }
    return checkFederation({ type, federatedIdentities: [all] }).map(({ pointer }) => pointer)
  }
  t.strictSame(pointersOf({}), [])
  t.strictSame(pointersOf({ trustedIssuer: 'a:b' }), ['/federatedIdentities/0/trustedIssuer'])
  const open = [
    'repo:*/web:ref:refs/heads/main',
    'repo:acme*/web:ref:refs/heads/main',
    'rep*:acme/web:ref:refs/heads/main',
    'repo:*',
    'repository_owner:*:ref:refs/heads/main',
    'environment:prod:repository_owner:ac*',
    'environment:prod:job_workflow_ref:*/ci/.github/workflows/a.yaml@refs/heads/main',
    'project_path:*/web:ref_type:branch:ref:main',
    'project_path:acme*/web:ref_type:branch:ref:main',
    'spiffe://*/ns/jobs/sa/api',
    'spiffe://*.example.org/ns/jobs/sa/api',
    'system:serviceaccount:*:nightly',
    'system:serviceaccount:jobs*:nightly',
    'organization:*:pipeline:web',
  ]
  for (const subject of open) {
    t.strictSame(pointersOf({ subject }), ['/federatedIdentities/0/subject'], subject)
  }
  const closed = [
    'repo:acme/*:ref:refs/heads/main',
    'project_path:acme/*:ref_type:branch:ref:main',
    'spiffe://example.org/*/sa/api',
    'system:serviceaccount:jobs:*',
  ]
  for (const subject of closed) t.strictSame(pointersOf({ subject }), [], subject)
  for (const subject of ['', '*', 'a*', '*:*', 'a:\u0000', 'x'.repeat(1_025)]) {
    t.strictSame(pointersOf({ subject }), ['/federatedIdentities/0/subject'], subject.slice(0, 5))
  }
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`c${n}`, 'x']))
  for (const claims of [{ sub: 'x' }, { aud: 'x' }, { a: '' }, { '': 'x' }, many]) {
    t.strictSame(pointersOf({ claims }), ['/federatedIdentities/0/claims'])
  }
  const identity = { trustedIssuer: 'github', subject: MAIN }
  const many33 = { type: 'confidential', federatedIdentities: Array(33).fill(identity) } as const
  t.match(checkFederation(many33), [{ pointer: '/federatedIdentities' }])
  const shared = { type: 'public', federatedIdentities: [identity] } as const
  t.match(checkFederation(shared), [{ pointer: '/federatedIdentities' }])
})
