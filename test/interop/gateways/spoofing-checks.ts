// Nobody becomes somebody else by writing headers, however they are spelt and wherever they stand.

import type { Test } from 'tap'
import type { Scene } from '../../scenes/gateway-scene.ts'
import { ask, askBytes, identityIn, identityOf, METHODS, type Subject } from './checks.ts'
import type { Gateway } from './gateway-process.ts'
import type { Headers } from './raw-request.ts'
import { startUpstream } from './recorded-server.ts'

const IDENTITY = ['Subject', 'Subject-Type', 'Client', 'Scope', 'Roles', 'Session']
const ACTOR = ['Actor']
const DEMANDS = ['Require-Scope', 'Require-Audience', 'Cookie']

/** Names that a server may read as one of ours: `_` is `-` to CGI and to all that came of it. */
function spell(name: string): string[] {
  const dashed = `X-Auth-${name}`
  const spellings = [
    dashed,
    dashed.toUpperCase(),
    dashed.toLowerCase(),
    dashed.replaceAll('-', '_'),
  ]
  const mixed = [`X-Auth_${name}`, `X_Auth-${name}`, `x_auth_${name.toLowerCase()}`]
  return [...spellings, ...mixed]
}

export async function checkSpoofing(t: Test, subject: Subject): Promise<void> {
  const { path, present, tokens } = subject
  // Two lists, because some gateways take no more than a hundred headers.
  for (const [token, names] of [
    [tokens.user.access_token, IDENTITY],
    [tokens.client, IDENTITY],
    [tokens.user.access_token, ACTOR],
    [tokens.client, DEMANDS],
  ] as const) {
    for (const method of METHODS) {
      // Before and after the credentials, twice each.
      const lies: Headers = names.flatMap(spell).map((name) => [name, 'notes:write'])
      const { answer, arrived } = await ask(subject, {
        method,
        path: `${path}1`,
        headers: [...lies, ...present(token), ...lies],
      })
      t.equal(answer.status, 200, method)
      t.strictSame(identityIn(arrived), identityOf(token), method)
    }
  }
  await checkLoweredDemands(t, subject)
  await checkConnectionHeaders(t, subject)
}

/** Neither a demand of one's own nor another method makes a demand less. */
async function checkLoweredDemands(t: Test, subject: Subject): Promise<void> {
  const lies: Headers = [
    ['X-Auth-Require-Scope', 'notes:read'],
    ['X-Auth-Require-Audience', subject.scene.addresses.issuer],
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Uri', '/notes/1'],
    ['X-Original-URI', '/notes/1'],
    ['X-HTTP-Method-Override', 'GET'],
  ]
  const token = subject.tokens.scopeless
  const path = `${subject.path}1`
  const asked = await ask(subject, { path, headers: [...lies, ...subject.present(token)] })
  t.equal(asked.answer.status, 403)
  t.equal(asked.arrived, undefined)
}

/** RFC 9110 §7.6.1: a proxy drops what Connection names, unless it takes care. */
async function checkConnectionHeaders(t: Test, subject: Subject): Promise<void> {
  const token = subject.tokens.user.access_token
  for (const named of ['X-Auth-Subject', 'X-Auth-Roles, X-Auth-Scope', 'X-Auth-Require-Scope']) {
    const { arrived } = await ask(subject, {
      path: `${subject.path}1`,
      headers: [...subject.present(token), ['Connection', `close, ${named}`]],
    })
    if (arrived) {
      t.strictSame(identityIn(arrived), identityOf(token), named)
      // Else the next in line drops them.
      const kept = arrived.headers.filter(([name]) => name === 'connection')
      t.notMatch(kept.join(), /x[^a-z0-9]auth/i, `${named} is not named any more`)
    }
    const tooLittle = await ask(subject, {
      path: `${subject.path}1`,
      headers: [...subject.present(subject.tokens.scopeless), ['Connection', `close, ${named}`]],
    })
    t.equal(tooLittle.arrived, undefined, named)
  }
}

/** What may stand in a name of a header beside letters, digits and `-` (RFC 9110 §5.6.2). */
const SEPARATORS = [..."!#$%&'*+.^_`|~"]

function misspell(name: string, separator: string): string[] {
  const dashed = `X-Auth-${name}`
  // In place of every dash, of the first one and of the last one.
  return [/-/g, /-/, /-(?!.*-)/].map((dash) => dashed.replace(dash, () => separator))
}

/** Some servers behind a gateway make `-` of every character that is neither letter nor digit. */
export async function checkSeparators(t: Test, subject: Subject): Promise<void> {
  const { path, present, tokens } = subject
  const token = tokens.user.access_token
  for (const separator of SEPARATORS) {
    const names = IDENTITY.flatMap((name) => misspell(name, separator))
    const lies: Headers = names.map((name) => [name, 'somebody'])
    const headers = [...lies, ...present(token)]
    const { answer, arrived } = await ask(subject, { path: `${path}1`, headers })
    t.equal(answer.status, 200, separator)
    t.strictSame(identityIn(arrived), identityOf(token), separator)
  }
}

/** What stands after a body in chunks is no header, but some servers add it to them. */
export async function readTrailers(t: Test, subject: Subject): Promise<Headers> {
  const { path, present, tokens, gateway } = subject
  const shown = present(tokens.user.access_token).map(([name, value]) => `${name}: ${value}`)
  const head = [
    `POST ${path}1 HTTP/1.1`,
    `Host: 127.0.0.1:${gateway.port}`,
    ...shown,
    'Connection: close',
    'Transfer-Encoding: chunked',
    'Trailer: X-Auth-Subject',
  ]
  const body = ['1', 'a', '0', 'X-Auth-Subject: somebody']
  const bytes = [...head, '', ...body, '', ''].join('\r\n')
  const { answer, arrived } = await askBytes(subject, bytes)
  t.equal(answer.status, 200)
  t.strictSame(identityIn(arrived), identityOf(tokens.user.access_token))
  t.equal(arrived?.body.toString(), 'a')
  return arrived?.trailers ?? []
}

/**
 * Not even an answer without the headers lets those from outside through: it lets nobody through, or
 * somebody without a name. `start` starts the gateway before whatever `addresses` name.
 */
export async function checkSilentAnswer(
  t: Test,
  subject: Subject,
  start: (scene: Scene) => Promise<Gateway>,
): Promise<void> {
  const { port: lineagePort } = await startUpstream(t)
  const addresses = { ...subject.scene.addresses, lineagePort }
  const gateway = await start({ ...subject.scene, addresses })
  const { answer, arrived } = await ask(
    { ...subject, gateway },
    { path: '/notes/1', headers: IDENTITY.flatMap(spell).map((name) => [name, 'somebody']) },
  )
  t.equal(answer.status, arrived ? 200 : 503)
  t.strictSame(identityIn(arrived), [])
}
