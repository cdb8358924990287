// Client authentication as an attacker or a sloppy library would send it: one answer for every
// failure, and never two mechanisms in one request (C18, C24-C29).

import { test } from 'tap'
import { startApp } from '../../support/app.ts'
import {
  basic,
  exchange,
  FORM,
  isOAuthRefusal,
  readJson,
  write,
} from '../../support/hostile-wire.ts'

const MACHINE = {
  type: 'confidential',
  grantTypes: ['client_credentials'],
} as const

test('Basic is one strict spelling of one pair; every failure is the same 401', async (t) => {
  const { url, makeClient } = await startApp(t)
  const { secret } = await makeClient({ ...MACHINE, id: 'machine' })
  await makeClient({ id: 'page' })
  const pair = `machine:${secret}`
  const base64 = Buffer.from(pair).toString('base64')
  const ask = async (authorization: string) =>
    (
      await exchange(
        url,
        write('POST /token', [FORM, authorization], 'grant_type=client_credentials'),
      )
    )[0]
  for (const good of [
    basic(pair),
    `Authorization: bAsIC ${base64}`,
    `Authorization: Basic   ${base64}`,
    `authorization:Basic ${base64}`,
    // RFC 6749 §2.3.1: both halves are form-encoded (C25).
    basic(`%6dachine:${secret.replace('_', '%5F')}`),
  ]) {
    t.equal((await ask(good))?.status, 200, good)
  }
  const named = await ask(basic('page:'))
  t.match(readJson(named), { error: 'unauthorized_client' }, 'the public client, without a secret')
  const refused = [
    basic(`:${secret}`),
    basic('machine:'),
    basic('machine'),
    basic(''),
    basic(`machine%3A${secret}`),
    basic(`machine:${secret}\n`),
    basic(`machine: ${secret}`),
    basic(`machine:+${secret}`),
    basic('machine:%zz'),
    basic('machine:%ff'),
    basic('__proto__:x'),
    basic('constructor:x'),
    basic('nobody:x'),
    basic('nobody:'),
    basic('page:x'),
    basic(`machine:${secret}${'a'.repeat(4096)}`),
    basic(Buffer.from([0xff, 0x3a, 0x61])),
    basic(`\ufeff${pair}`),
    'Authorization: Basic',
    `Authorization: Basic\t${base64}`,
    `Authorization: Basic \xa0${base64}`,
    `Authorization: Basic ${base64}, Basic ${base64}`,
    `Authorization: Basic ${base64}=`,
    `Authorization: Basic =${base64}`,
    `Authorization: Basic ${base64.slice(0, 8)} ${base64.slice(8)}`,
    `Authorization: Basic \xff${base64}`,
    `Authorization: Bearer ${base64}`,
    `Authorization: Negotiate ${base64}`,
    `Authorization: ${base64}`,
  ]
  const bodies = new Set<string>()
  for (const header of refused) {
    const answer = await ask(header)
    t.equal(answer?.status, 401, header)
    t.match(answer?.headers['www-authenticate'], /^Basic realm=/, header)
    isOAuthRefusal(t, answer, header)
    bodies.add(answer?.body ?? '')
  }
  t.equal(bodies.size, 1, 'the same bytes for all of them')
})

test('a client presents itself in one way (C24, C27)', async (t) => {
  const { url, makeClient, log } = await startApp(t)
  const { secret } = await makeClient({ ...MACHINE, id: 'machine' })
  await makeClient({ id: 'page' })
  const good = basic(`machine:${secret}`)
  const post = `client_id=machine&client_secret=${secret}`
  const assertion = 'client_assertion=x&client_assertion_type=y'
  const cases: [what: string, header: string | undefined, body: string, reason: string][] = [
    ['Basic and a secret', good, 'client_secret=x', 'client_two_mechanisms'],
    ['Basic and an assertion', good, assertion, 'client_two_mechanisms'],
    ['a secret and an assertion', undefined, `${post}&${assertion}`, 'client_two_mechanisms'],
    ['another id beside Basic', good, 'client_id=page', 'client_id_mismatch'],
    ['an assertion alone', undefined, `client_id=page&${assertion}`, 'client_scheme_unsupported'],
    ['a secret of a public client', undefined, 'client_id=page&client_secret=x', 'client_method'],
    ['no secret of a confidential one', undefined, 'client_id=machine', 'client_secret_missing'],
    ['nobody', undefined, 'client_id=', 'client_absent'],
  ]
  for (const [what, header, body, reason] of cases) {
    const headers = header === undefined ? [FORM] : [FORM, header]
    const [answer] = await exchange(url, write('POST /revoke', headers, `token=x&${body}`))
    const isTwo = reason === 'client_two_mechanisms' || reason === 'client_id_mismatch'
    t.equal(answer?.status, isTwo ? 400 : 401, what)
    t.equal(readJson(answer).error, isTwo ? 'invalid_request' : 'invalid_client', what)
    isOAuthRefusal(t, answer, what)
    const refusal = log.findLast((line) => line.event === 'request.refused')
    t.match(refusal?.reason, reason, what)
  }
  const beside = `token=x&client_id=machine&client_secret=&client_assertion=`
  const [same] = await exchange(url, write('POST /revoke', [FORM, good], beside))
  t.equal(same?.status, 200, 'the same id beside Basic, and what is empty is absent (C4)')
})

test('64 parameters are enough, and names may be as long as the body', async (t) => {
  const { url, makeClient } = await startApp(t)
  const { secret } = await makeClient({ ...MACHINE, id: 'machine' })
  const send = async (body: string) =>
    (await exchange(url, write('POST /token', [FORM, basic(`machine:${secret}`)], body)))[0]
  const grant = 'grant_type=client_credentials'
  const more = (count: number) => Array.from({ length: count }, (_, index) => `&x${index}`).join('')
  t.equal((await send(grant + more(63)))?.status, 200, 'unknown parameters are ignored (C5)')
  t.equal((await send(`&&${grant}&&${'&'.repeat(100)}`))?.status, 200, 'empty pairs are skipped')
  t.equal((await send(`${grant}&${'n'.repeat(16_000)}=1`))?.status, 200)
  isOAuthRefusal(t, await send(grant + more(64)), '65 parameters')
  isOAuthRefusal(t, await send(`${grant}&=a&=b`), 'two without a name')
  isOAuthRefusal(t, await send(`${grant}&x=1&%78=2`), 'two under two spellings')
  t.equal((await send(`${grant}&x=%00`))?.status, 200, 'a NUL in what is ignored is ignored')
  isOAuthRefusal(t, await send(`${grant}%00`), 'a NUL in what is not')
})
