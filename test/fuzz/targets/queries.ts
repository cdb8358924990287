// The target of a request, and the query of a list.

import { parseCursor, toPage } from '../../../src/database/keyset-page.ts'
import { ApiError } from '../../../src/http/server/api-error.ts'
import { anyText, oneOf, readListQuery, textLike } from '../../../src/http/server/list-query.ts'
import { routeTargets } from '../../../src/http/server/request-target.ts'
import { type FuzzTarget, headerOf, holds, isSame, unlessRefused } from '../fuzz-target.ts'

const toTarget = routeTargets('/auth')

const target: FuzzTarget = {
  name: 'request-target',
  covers: ['src/http/server/request-target.ts routeTargets'],
  encoding: 'latin1',
  seeds: [
    '/auth/token?a=b',
    '/auth/verify/../x%2f?y',
    'http://h/auth/verify/a',
    '/auth//token',
    '/auth/%74oken',
    '/a/%C3%A9',
    '/auth/./x',
    '*',
    '/a;b',
    '/%FF',
  ],
  tokens: [
    '/',
    '//',
    '..',
    '/./',
    '%2e',
    '%2F',
    '%25',
    '%C3%A9',
    '%E0%A4',
    '%00',
    '\\',
    ';',
    '?',
    '#',
    'http://h',
    '/auth/verify/',
    '%7B',
    '%7b',
  ],
  check(input) {
    const url = headerOf(input)
    const routed = toTarget({ url })
    if (routed === '/auth/verify/') {
      holds(url.includes('/auth/verify/'), 'below verify')
      return true
    }
    if (routed === '//') return false
    isSame(routed, url, 'a target as it was sent')
    const [path = ''] = url.split('?')
    holds(path.startsWith('/'), 'a path')
    // Whoever reads it as a URL finds the same path, once decoded or not.
    isSame(new URL(path, 'http://h').pathname, path, 'the path of a URL')
    const decoded = decodeURIComponent(path)
    holds(decodeURIComponent(decoded.replaceAll('%', '%25')) === decoded, 'decoded once')
    holds(!/[\\;#]|\/\.{0,2}(\/|$)/.test(decoded.replace(/\/$/, '')), 'nothing that is resolved')
    return true
  },
}

const LIST_RULES = {
  isId: (id: string) => id.length < 100,
  filters: {
    status: oneOf('active', 'disabled'),
    email: anyText,
    type: textLike(/^\w{1,64}$/, 'must be a word'),
  },
}

const list: FuzzTarget = {
  name: 'list-query',
  covers: [
    'src/http/server/list-query.ts readListQuery',
    'src/database/keyset-page.ts parseCursor',
  ],
  seeds: [
    'limit=50&status=active',
    'limit=201',
    'cursor=MTc2NDU0NzIwMDAwMCBhYmM',
    'limit=1&limit=2',
    'email=%40&type=a',
    '__proto__=1',
    'cursor=MSBhIA',
  ],
  tokens: [
    'limit=',
    'cursor=',
    'status=',
    'email=',
    'type=',
    '&',
    '__proto__=',
    'constructor=',
    '0',
    '200',
    '201',
    'MSBh',
    '-',
    '_',
    '=',
  ],
  check(input) {
    const text = input.toString()
    const query: Record<string, unknown> = {}
    // As Fastify gives a query: a list where a name is there twice.
    for (const name of new Set(new URLSearchParams(text).keys())) {
      const values = new URLSearchParams(text).getAll(name)
      Object.defineProperty(query, name, {
        value: values.length > 1 ? values : values[0],
        enumerable: true,
      })
    }
    const read = unlessRefused(
      () => readListQuery(query, LIST_RULES),
      (error) => error instanceof ApiError && error.status === 400,
    )
    if (!read) return false
    const { page, filter } = read
    holds(page.limit >= 1 && page.limit <= 200, 'a limit within bounds')
    holds(
      Object.keys(query).every((name) =>
        ['limit', 'cursor', 'status', 'email', 'type'].includes(name),
      ),
      'no other name',
    )
    isSame(
      { ...filter },
      Object.fromEntries(
        Object.keys(LIST_RULES.filters)
          .filter((name) => query[name] !== undefined)
          .map((name) => [name, query[name]]),
      ),
      'the filters',
    )
    if (page.after) {
      const rows = [page.after, page.after]
      const { nextCursor } = toPage(rows, { limit: 1, after: undefined }, (key) => key, String)
      isSame(nextCursor, query.cursor, 'a cursor that was written again')
      isSame(parseCursor(nextCursor ?? ''), page.after, 'the place in the list')
    }
    return true
  },
}

export const QUERY_TARGETS: readonly FuzzTarget[] = [target, list]
