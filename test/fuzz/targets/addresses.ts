// Addresses of callers and of what others name for us to call: forwarded headers, networks, URLs.

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import express from 'express'
import { findJwksUriProblem } from '../../../src/assertions/jwks-uri.ts'
import { BadValue } from '../../../src/config/config-values.ts'
import { parseTrustedProxies } from '../../../src/config/trusted-proxies.ts'
import { peerAddressOf } from '../../../src/http/server/peer-address.ts'
import { isPublicAddress } from '../../../src/outbound/public-address.ts'
import { parseIpAddress } from '../../../src/runtime/ip-address.ts'
import { findUrlProblem } from '../../../src/webhooks/webhook-url.ts'
import { type FuzzTarget, headerOf, holds, isSame, textOf, unlessRefused } from '../fuzz-target.ts'

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')

const address: FuzzTarget = {
  name: 'ip-address',
  covers: ['src/runtime/ip-address.ts parseIpAddress'],
  encoding: 'latin1',
  seeds: [
    '192.0.2.1',
    ' 192.0.2.1:80',
    '[2001:DB8::1%eth0]:443',
    'for="[::ffff:1.2.3.4]:1"',
    '::1',
    '1.2.3.04',
    'fe80::1%25a',
    '0x7f.1',
  ],
  tokens: [
    '::',
    ':',
    '.',
    '[',
    ']',
    '%',
    '"',
    'for=',
    '::ffff:',
    '255',
    '0',
    '\xa0',
    ' ',
    '\t',
    '/',
  ],
  lengthMax: 96,
  check(input) {
    const text = headerOf(input)
    const found = parseIpAddress(text)
    if (isIP(text) !== 0 && !text.includes('%'))
      holds(found !== undefined, 'a plain address is one')
    if (found === undefined) return false
    holds(isIP(found) !== 0, 'an address')
    isSame(parseIpAddress(found), found, 'an address that was written again')
    holds(!/^::ffff:[\da-f]+:[\da-f]+$/i.test(found), 'one spelling of an address of version 4')
    if (isIPv6(found)) isSame(new URL(`http://[${found}]`).hostname, `[${found}]`, 'RFC 5952')
    // The address is in the text, in whatever spelling: by the parser that Node's list of addresses has.
    const list = new BlockList()
    list.addAddress(found, familyOf(found))
    const parts = text.split(/[^0-9a-fA-F:.]+/).flatMap((part) => [part, part.replace(/:\d+$/, '')])
    const spelt = parts.filter((part) => isIP(part) !== 0)
    holds(
      spelt.some((part) => list.check(part, familyOf(part))),
      'the address of the text',
    )
    holds(
      /^(for=)?"?\[?[\da-f.:]+(%[\w.~-]+)?(\]?(:\d{1,5})?)?"?$/i.test(trimBlanks(text)),
      'nothing besides',
    )
    return true
  },
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

const TRUSTED = ['10.0.0.0/8', '127.0.0.1/32', '2001:db8::/32']
const trusted = new BlockList()
trusted.addSubnet('10.0.0.0', 8)
trusted.addAddress('127.0.0.1')
trusted.addSubnet('2001:db8::', 32, 'ipv6')
const app = express()
app.set('trust proxy', TRUSTED)
const isTrustedProxy = (one: string) => trusted.check(one, familyOf(one))

const forwarded: FuzzTarget = {
  name: 'forwarded-for',
  covers: ['src/http/server/peer-address.ts peerAddressOf'],
  within: ['src/runtime/ip-address.ts'],
  encoding: 'latin1',
  seeds: [
    '198.51.100.1, 10.1.1.1',
    '10.0.0.1,10.0.0.2',
    'evil, 10.0.0.1',
    '2001:db8::5, 198.51.100.1',
    ', ,198.51.100.1,',
    'unknown',
    '::ffff:10.0.0.9, 203.0.113.1, 10.0.0.1',
  ],
  tokens: [
    ',',
    ', ',
    '10.0.0.1',
    '127.0.0.1',
    '198.51.100.1',
    '2001:db8::1',
    'unknown',
    '_hidden',
    'for=',
    '"',
    ':80',
    '[',
    ']',
    '\xa0',
  ],
  check(input) {
    const headers = { 'x-forwarded-for': headerOf(input) }
    const found = ofPeer('10.9.9.9', headers)
    isSame(ofPeer('203.0.113.9', headers), '203.0.113.9', 'nobody believes a stranger')
    holds(isIP(found) !== 0, 'an address')
    const hops = headers['x-forwarded-for'].split(',').map(trimBlanks).filter(Boolean)
    // The other one knows addresses only as they are, and takes any text for one.
    if (hops.length > 30 || !hops.every((hop) => isIP(hop) !== 0 && !hop.includes('%')))
      return false
    const theirs = Object.create(app.request, {
      headers: { value: { 'x-forwarded-for': hops.join(', ') } },
      socket: { value: { remoteAddress: '10.9.9.9' } },
    }) as { readonly ip: string }
    isSame(found, parseIpAddress(theirs.ip), 'the address that Express finds')
    return true
  },
}

function ofPeer(remoteAddress: string, headers: IncomingMessage['headers']): string {
  return peerAddressOf(asRequest(remoteAddress, headers), { isTrustedProxy })
}

function asRequest(remoteAddress: string, headers: IncomingMessage['headers']): IncomingMessage {
  return { headers, socket: { remoteAddress } } as IncomingMessage
}

const networks: FuzzTarget = {
  name: 'trusted-proxies',
  covers: ['src/config/trusted-proxies.ts parseTrustedProxies'],
  seeds: [
    'loopback, 10.0.0.0/8',
    '2001:db8::/32,192.0.2.1',
    '::ffff:10.0.0.0/104',
    '0.0.0.0/0',
    '10.0.0.0/08',
    '::/1',
  ],
  tokens: [',', '/', '/8', '/128', '/96', '/0', 'loopback', '::ffff:', '%', '10.0.0.0', ' '],
  check(input) {
    const found = unlessRefused(
      () => parseTrustedProxies(textOf(input)),
      (error) => error instanceof BadValue,
    )
    if (!found) return false
    for (const network of found) {
      const [base = '', prefix] = network.split('/')
      const list = new BlockList()
      list.addSubnet(base, Number(prefix), familyOf(base))
      holds(!(list.check('8.8.8.8') && list.check('200.1.1.1')), 'no network is everybody')
    }
    isSame(parseTrustedProxies(found.join()), found, 'networks that were written again')
    return true
  },
}

const outbound: FuzzTarget = {
  name: 'outbound-url',
  covers: [
    'src/webhooks/webhook-url.ts findUrlProblem',
    'src/assertions/jwks-uri.ts findJwksUriProblem',
    'src/outbound/outbound-url.ts findUrlFault',
  ],
  within: ['src/outbound/public-address.ts'],
  seeds: [
    'https://example.com/hook?a=b',
    'https://127.1/',
    'https://[::ffff:7f00:1]/',
    'http://localhost:1/',
    'https://u:p@a.test/',
    'https://0x7f.1/',
    'https://a.test/#',
    'https://10.0.0.1\\@a.test',
  ],
  tokens: [
    'https://',
    'http://',
    '127.0.0.1',
    '0x7f000001',
    '2130706433',
    '[::1]',
    '[fe80::1]',
    '169.254.169.254',
    '@',
    '#',
    '\\',
    '\u3002',
    '\uff11',
    '\u00ad',
    '%31',
    ':',
    '/',
  ],
  check(input) {
    const text = textOf(input)
    const problems = [findUrlProblem(text, false), findJwksUriProblem(text, false)]
    isSame(
      problems[0] === undefined,
      problems[1] === undefined,
      'webhooks and keys may be in the same places',
    )
    for (const problem of problems)
      holds(problem === undefined || /^must /.test(problem), 'a problem in words')
    if (problems.some((problem) => problem !== undefined)) return false
    const url = new URL(text)
    isSame(
      [url.protocol, url.username, url.password, url.hash],
      ['https:', '', '', ''],
      'the parts',
    )
    const host = url.hostname.replace(/^\[|\]$/g, '')
    holds(isIP(host) === 0 || isPublicAddress(host), 'no address within')
    isSame(new URL(url.href).href, url.href, 'a URL that was written again')
    return true
  },
}

export const ADDRESS_TARGETS: readonly FuzzTarget[] = [address, forwarded, networks, outbound]
