// Where the metadata of an issuer stands, and reading it (RFC 8414 §3).

import { type Answer, exchange } from './http-exchange.ts'

const NAMES = ['oauth-authorization-server', 'openid-configuration'] as const

/** RFC 8414 §3.1: the well-known part goes between the host and the path of the issuer. */
export function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/${NAMES[0]}${pathname.replace(/\/$/, '')}`
}

/** The first document of this issuer that is there. Rejects with an Error when none is. */
export async function fetchMetadata(issuer: string): Promise<Answer> {
  const base = issuer.replace(/\/$/, '')
  const urls = [metadataUrl(issuer), ...NAMES.map((name) => `${base}/.well-known/${name}`)]
  let problem = ''
  for (const url of new Set(urls)) {
    const answer = await exchange(url, {})
    if (answer.status === 200 && typeof answer.json.issuer === 'string') return answer
    problem ||= `${url} gave status ${answer.status} and no metadata`
  }
  throw new Error(problem)
}
