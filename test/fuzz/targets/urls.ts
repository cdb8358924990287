// URLs that an operator writes: of servers, and of pages.

import { parseIssuer } from '../../../src/config/issuer-url.ts'
import { parsePage } from '../../../src/config/mail-values.ts'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { parseSmtpUrl } from '../../../src/config/smtp-url.ts'
import { type FuzzTarget, holds, isSame, textOf } from '../fuzz-target.ts'
import { readSetting } from '../read-setting.ts'

const redis: FuzzTarget = {
  name: 'redis-url',
  covers: ['src/config/redis-url.ts parseRedisUrl'],
  seeds: [
    'redis://localhost',
    'rediss://user:p%40ss@a.test:6380/3',
    'redis://a,b:1,[::1]:2?mode=cluster',
    'redis://:x@a/1?mode=sentinel&name=m',
    'redis://a?mode=single',
    'redis://a:0',
    'redis://a:65536',
    'redis://u@a',
  ],
  tokens: [
    'redis://',
    'rediss://',
    '@',
    ':',
    ',',
    '/',
    '?',
    '&',
    'mode=cluster',
    'mode=sentinel',
    'name=',
    '[::1]',
    '%40',
    '%',
    '#',
    '65535',
    '65536',
  ],
  check(input) {
    const text = textOf(input)
    const read = readSetting(parseRedisUrl, text)
    if (!read) return false
    holds(
      read.nodes.length >= 1 && read.nodes.every(({ port }) => port >= 1 && port <= 65_535),
      'hosts and ports',
    )
    holds(read.mode !== 'single' || read.nodes.length === 1, 'one host of one server')
    holds(Number.isInteger(read.db) && read.db >= 0, 'a database')
    const [node] = read.nodes
    if (!node || read.mode !== 'single' || !URL.canParse(text)) return true
    const url = new URL(text)
    isSame(url.hostname.replace(/^\[|\]$/g, '').toLowerCase(), hostOfUrl(node.host), 'the host')
    isSame(url.port === '' ? 6_379 : Number(url.port), node.port, 'the port')
    isSame(decodeURIComponent(url.password), read.password ?? '', 'the password')
    isSame(decodeURIComponent(url.username), read.username ?? '', 'the user')
    return true
  },
}

/** As the parser of URLs spells it, where it is no name. */
function hostOfUrl(host: string): string {
  return host.includes(':')
    ? new URL(`redis://[${host}]`).hostname.slice(1, -1)
    : host.toLowerCase()
}

const smtp: FuzzTarget = {
  name: 'smtp-url',
  covers: ['src/config/smtp-url.ts parseSmtpUrl'],
  seeds: [
    'smtp://u:p%3A@mail.test:587',
    'smtps://mail.test',
    'smtp://127.0.0.1:1025',
    'smtp://a?tls=off',
    'smtp://[::1]',
    'smtp://u:p@a?tls=off',
  ],
  tokens: [
    'smtp://',
    'smtps://',
    '@',
    ':',
    '?tls=off',
    '[::1]',
    'localhost',
    '/',
    '%',
    '#',
    '65536',
  ],
  check(input) {
    const text = textOf(input)
    const read = readSetting(parseSmtpUrl, text)
    if (!read) return false
    holds(read.port >= 1 && read.port <= 65_535 && read.host !== '', 'host and port')
    holds(
      read.tls !== 'none' || !read.credentials || /localhost|127|::1/i.test(read.host),
      'no password in clear',
    )
    return true
  },
}

const issuer: FuzzTarget = {
  name: 'issuer',
  covers: ['src/config/issuer-url.ts parseIssuer', 'src/config/mail-values.ts parsePage'],
  seeds: [
    'https://auth.example.test',
    'https://a.test/b/c',
    'http://localhost:3000',
    'http://[::1]:1',
    'https://A.test',
    'https://a.test:443',
    'https://a.test/../b',
    'https://\u00e9.test',
  ],
  tokens: [
    'https://',
    'http://',
    'localhost',
    '127.0.0.1',
    '[::1]',
    ':443',
    '/',
    '//',
    '..',
    '%41',
    '?',
    '#',
    '@',
    '\\',
    '\u3002',
    '\t',
  ],
  check(input) {
    const text = textOf(input)
    const page = readSetting(parsePage, text)
    if (page !== undefined) isSame([new URL(page).hash, page], ['', text], 'a page')
    const read = readSetting(parseIssuer, text)
    if (read === undefined) return page !== undefined
    isSame(read, text, 'an issuer as it was given')
    const url = new URL(read)
    holds(url.href === read || url.href === `${read}/`, 'normal form')
    isSame([url.search, url.hash, url.username, url.password], ['', '', '', ''], 'nothing besides')
    isSame(parseIssuer(read), read, 'an issuer that was written again')
    return true
  },
}

export const URL_TARGETS: readonly FuzzTarget[] = [redis, smtp, issuer]
