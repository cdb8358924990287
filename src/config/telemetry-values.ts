// The texts of OpenTelemetry's standard variables: which forms they have, and what of them is not
// supported and therefore refused.

import type { SamplerSettings } from '../tracing/telemetry-settings.ts'
import { BadValue } from './config-values.ts'

const PAIRS_MAX = 128
/** RFC 9110 §5.6.2 */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const PRINTABLE = /^[\x20-\x7e]*$/
const ATTRIBUTE_NAME = /^[\x21-\x7e]{1,255}$/

/** Base of the two addresses; paths are appended to it. */
export function parseOtlpEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (!url || !isHttp || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new BadValue('must be a URL that begins with http:// or https://, without credentials')
  }
  return url
}

/** `name=value` by commas, escaped by percent signs, as W3C Baggage writes them. */
export function parseOtlpHeaders(text: string): Readonly<Record<string, string>> {
  return parsePairs(text, (name, value) => HEADER_NAME.test(name) && PRINTABLE.test(value))
}

export function parseResourceAttributes(text: string): Readonly<Record<string, string>> {
  return parsePairs(text, (name) => ATTRIBUTE_NAME.test(name))
}

function parsePairs(
  text: string,
  isGood: (name: string, value: string) => boolean,
): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .filter((pair) => pair.trim() !== '')
    .map(readPair)
  if (pairs.length > PAIRS_MAX) throw new BadValue(`must hold ${PAIRS_MAX} pairs at most`)
  if (!pairs.every(([name, value]) => isGood(name, value))) throw new BadValue(PAIRS_WANTED)
  return Object.fromEntries(pairs)
}

const PAIRS_WANTED = 'must be name=value, more of them by comma, escaped by percent signs'

function readPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=')
  try {
    return [
      decodeURIComponent(pair.slice(0, Math.max(0, at)).trim()),
      decodeURIComponent(pair.slice(at + 1).trim()),
    ]
  } catch {
    throw new BadValue(PAIRS_WANTED)
  }
}

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const
const PARENT_BASED = 'parentbased_'

/** Without its argument. */
export function parseSampler(text: string): Omit<SamplerSettings, 'ratio'> {
  const isParentBased = text.startsWith(PARENT_BASED)
  const name = isParentBased ? text.slice(PARENT_BASED.length) : text
  const root = SAMPLERS.find((known) => known === name)
  if (root) return { root, isParentBased }
  throw new BadValue(`must be one of ${SAMPLERS.join(', ')}, or one of them after ${PARENT_BASED}`)
}

/** A share of all. */
export function parseRatio(text: string): number {
  const ratio = /^\d{0,3}(\.\d{1,18})?$/.test(text) && text !== '' ? Number(text) : Number.NaN
  if (ratio >= 0 && ratio <= 1) return ratio
  throw new BadValue('must be a number from 0 to 1')
}

/** Whether W3C Trace Context is among them; what they may be beside it carries nothing here. */
export function parsePropagators(text: string): boolean {
  const names = text.split(',', 10).map((name) => name.trim())
  const known = ['tracecontext', 'baggage', 'none']
  if (names.every((name) => known.includes(name))) return names.includes('tracecontext')
  throw new BadValue('must be tracecontext or none; of baggage nothing is passed on')
}
