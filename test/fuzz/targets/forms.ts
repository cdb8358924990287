// Forms and what is in them: the body, scope, resources.

import { isUtf8 } from 'node:buffer'
import { parseFormBody } from '../../../src/http/oauth/form-body.ts'
import { parseQueryDemands } from '../../../src/http/verify/verify-demands.ts'
import { OAuthError } from '../../../src/oauth/oauth-error.ts'
import { parseResources } from '../../../src/oauth/resource.ts'
import { parseScope } from '../../../src/oauth/scope.ts'
import { type FuzzTarget, headerOf, holds, isSame, textOf, unlessRefused } from '../fuzz-target.ts'

const isOwn = (code: string) => (error: unknown) =>
  error instanceof OAuthError && error.code === code
const FORBIDDEN = ['__proto__', 'constructor', 'prototype']

const form: FuzzTarget = {
  name: 'form',
  covers: ['src/http/oauth/form-body.ts parseFormBody'],
  seeds: [
    'grant_type=refresh_token&refresh_token=lrt_a&scope=a+b',
    'grant_type=password&username=%C3%A9&password=%20a%2Bb&resource=https%3A%2F%2Fa.test&resource=urn:b',
    'a&b=&=c&&d==e',
    'a=1&%61=2',
    '\ufeffa=b',
  ],
  tokens: [
    '&',
    '=',
    '+',
    '%',
    '%00',
    '%26',
    '%3D',
    '%ff',
    '%C3%A9',
    '%u0041',
    'resource=',
    ...FORBIDDEN,
  ],
  lengthMax: 4_096,
  check(input) {
    const parsed = unlessRefused(() => parseFormBody(input), isOwn('invalid_request'))
    const isReadable = isUtf8(input)
    // URLSearchParams would cut off a question mark, and reads what is broken as best it can.
    const pairs = [...new URLSearchParams(`&${input}`)]
    const named = pairs.filter(([name]) => name !== 'resource')
    const names = named.map(([name]) => name)
    const resources = pairs.filter(([name, value]) => name === 'resource' && value !== '')
    const isClean =
      isReadable &&
      areEscapesGood(input.toString()) &&
      new Set(names).size === names.length &&
      !names.some((name) => FORBIDDEN.includes(name)) &&
      resources.length <= 8 &&
      pairs.length <= 64
    isSame(parsed !== undefined, isClean, 'a form is taken when it is clean, and only then')
    if (!parsed) return false
    for (const [name, value] of named) isSame(parsed.get(name), value || undefined, 'a value')
    const values = resources.map(([, value]) => value)
    isSame(parsed.resources, values, 'the resources')
    if (!names.includes('toString')) isSame(parsed.get('toString'), undefined, 'an inherited name')
    const again = parseFormBody(Buffer.from(new URLSearchParams(pairs).toString()))
    for (const name of names)
      isSame(again.get(name), parsed.get(name), 'a value that was written again')
    return true
  },
}

/** Whether each percent sign begins an escape, and those of each component are UTF-8. */
function areEscapesGood(text: string): boolean {
  if (/%(?![0-9a-f]{2})/i.test(text)) return false
  return text.split(/[&=]/).every((part) => {
    const bytes = part.replaceAll(/%([0-9a-f]{2})|[^%]+/gi, (all, hex?: string) =>
      hex === undefined ? Buffer.from(all).toString('hex') : hex,
    )
    return isUtf8(Buffer.from(bytes, 'hex'))
  })
}

const scope: FuzzTarget = {
  name: 'scope',
  covers: ['src/oauth/scope.ts parseScope'],
  seeds: ['openid profile', 'a  a b', ' ', 'a"b', 'a\\b', 'a\u00a0b'],
  tokens: [' ', '"', '\\', '\t', '\u00a0', '!', '~', '#', '[', ']', '^'],
  check(input) {
    const text = textOf(input)
    const words = unlessRefused(() => parseScope(text), isOwn('invalid_scope'))
    // RFC 6749 appendix A.4, character by character; blanks may stand anywhere.
    const isGood = [...text].every((character) => {
      const code = character.codePointAt(0) ?? 0
      return code >= 0x20 && code <= 0x7e && code !== 0x22 && code !== 0x5c
    })
    isSame(words !== undefined, isGood && text.trim() !== '', 'a scope is taken by its characters')
    if (!words) return false
    isSame(new Set(words).size, words.length, 'no word twice')
    isSame(words, [...new Set(text.split(' ').filter(Boolean))], 'the words')
    isSame(parseScope(words.join(' ')), words, 'a scope that was written again')
    return true
  },
}

const resource: FuzzTarget = {
  name: 'resource',
  covers: ['src/oauth/resource.ts parseResources'],
  seeds: [
    'https://api.example.test/a?b=c',
    'urn:example:a',
    'https://a#b',
    'a:',
    'HTTPS://A/%2e\nurn:b',
  ],
  tokens: [
    'https://',
    'urn:',
    ':',
    '//',
    '#',
    '?',
    '[',
    ']',
    '%',
    '\\',
    '@',
    '\u00e9',
    'data:,',
    'javascript:',
  ],
  check(input) {
    const values = textOf(input).split('\n')
    const found = unlessRefused(() => parseResources(values), isOwn('invalid_target'))
    if (!found) return false
    isSame(found, [...new Set(values)], 'the resources')
    for (const value of found) {
      holds(/^[\x21-\x7e]+$/.test(value), 'a resource is printable')
      holds(!/[#"<>\\^`{|}]/.test(value), 'a resource has the characters of a URI')
      const url = new URL(value)
      isSame(url.hash, '', 'a resource has no fragment')
      holds(value.toLowerCase().startsWith(url.protocol), 'the scheme stands at its beginning')
    }
    return true
  },
}

const demands: FuzzTarget = {
  name: 'demands',
  covers: ['src/http/verify/verify-demands.ts parseQueryDemands'],
  seeds: [
    '/verify?scope=a+b&audience=x%20y&cookie=1',
    '/verify',
    '/verify?',
    '/verify?scope=a&scope=a',
    '/verify?#',
  ],
  tokens: [
    '?',
    '&',
    '=',
    '+',
    '%20',
    '%73cope',
    'scope=',
    'audience=',
    'cookie=1',
    '%',
    '#',
    ',',
    '"',
  ],
  check(input) {
    const target = headerOf(input)
    const found = parseQueryDemands(target)
    if (!found) return false
    const start = target.indexOf('?')
    const query = new URLSearchParams(start < 0 ? '' : `&${target.slice(start + 1)}`)
    const words = (name: string) =>
      query.getAll(name).flatMap((value) => value.split(' ').filter(Boolean))
    isSame(found.scopes, words('scope'), 'the scopes')
    isSame(found.audiences, words('audience'), 'the audiences')
    isSame(found.acceptsCookie, query.has('cookie'), 'the cookie')
    holds(
      [...query.keys()].every((name) => query.getAll(name).length === 1),
      'no demand twice',
    )
    holds(!target.includes('#'), 'no fragment')
    holds(
      [...query.entries()].every(([, value]) => value.trim() !== ''),
      'no empty demand',
    )
    return true
  },
}

export const FORM_TARGETS: readonly FuzzTarget[] = [form, scope, resource, demands]
