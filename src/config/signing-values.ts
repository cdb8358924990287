// The settings that say which algorithms sign and who reads which: their texts, and what they are
// together.

import {
  isSigningAlg,
  SIGNING_ALGS,
  type SigningAlg,
  type SigningAlgs,
} from '../keys/signing-algorithms.ts'
import { BadValue } from './config-values.ts'

const AUDIENCES_MAX = 100
/** As a client may list it. */
const AUDIENCE_PATTERN = /^[\x21-\x7e]{1,512}$/

/** A comma list of algorithms, each of them once. */
export function parseSigningAlgs(text: string): SigningAlgs {
  const [first, ...others] = text.split(',').map(parseAlg)
  if (first === undefined) throw new BadValue('must name an algorithm')
  if (new Set([first, ...others]).size <= others.length) throw new BadValue('names one twice')
  return [first, ...others]
}

/** `audience=algorithm`, more of them by a space, each audience once. */
export function parseAudienceAlgs(text: string): ReadonlyMap<string, SigningAlg> {
  const pairs = text.split(' ')
  if (pairs.length > AUDIENCES_MAX) throw new BadValue(`must name ${AUDIENCES_MAX} at most`)
  const algs = new Map<string, SigningAlg>()
  for (const pair of pairs) {
    // A URL may have an equals sign of its own.
    const at = pair.lastIndexOf('=')
    const audience = pair.slice(0, Math.max(0, at))
    // Pairs with a comma between them would be one audience that nobody has.
    const isSeveral = SIGNING_ALGS.some((name) => audience.includes(`=${name},`))
    if (!AUDIENCE_PATTERN.test(audience) || isSeveral) {
      throw new BadValue('must be audience=algorithm, more of them by one space each')
    }
    if (algs.has(audience)) throw new BadValue('names an audience twice')
    algs.set(audience, parseAlg(pair.slice(at + 1)))
  }
  return algs
}

/** Undefined where a value is unset or bad. */
interface SigningSettings {
  readonly LINEAGE_SIGNING_ALG?: SigningAlg
  readonly LINEAGE_SIGNING_ALGS?: SigningAlgs | undefined
  readonly LINEAGE_AUDIENCE_SIGNING_ALGS?: ReadonlyMap<string, SigningAlg> | undefined
}

/** What the settings contradict each other in, as sentences. */
export function findSigningProblems(values: SigningSettings, given: ReadonlySet<string>): string[] {
  const { LINEAGE_SIGNING_ALG: alg, LINEAGE_SIGNING_ALGS: algs } = values
  const problems: string[] = []
  if (given.has('LINEAGE_SIGNING_ALG') && algs && algs.join() !== alg) {
    problems.push('LINEAGE_SIGNING_ALG must be left out, or LINEAGE_SIGNING_ALGS be the same.')
  }
  const readable = algs ?? [alg]
  const asked = [...(values.LINEAGE_AUDIENCE_SIGNING_ALGS?.values() ?? [])]
  const isKnown = given.has('LINEAGE_SIGNING_ALGS') ? algs !== undefined : alg !== undefined
  if (isKnown && asked.some((name) => !readable.includes(name))) {
    problems.push('LINEAGE_AUDIENCE_SIGNING_ALGS must name algorithms that are configured to sign.')
  }
  return problems
}

/** As stated by the one setting or the other. */
export function toSigningAlgs({
  LINEAGE_SIGNING_ALG: alg,
  LINEAGE_SIGNING_ALGS: algs,
}: Required<SigningSettings>): SigningAlgs {
  return algs ?? [alg]
}

function parseAlg(text: string): SigningAlg {
  if (isSigningAlg(text)) return text
  throw new BadValue(`must name algorithms of ${SIGNING_ALGS.join(', ')}`)
}
