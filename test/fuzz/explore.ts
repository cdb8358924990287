// The search: an input that reaches what none before it has reached is kept, and others are made of those that
// are kept. Whatever breaks the check of the target is a finding, cut down as far as it still breaks it alike.

import fc from 'fast-check'
import type { BuiltTargets } from './build-targets.ts'
import type { Reached } from './coverage.ts'
import { type FuzzTarget, toInput } from './fuzz-target.ts'
import { minimise } from './minimise.ts'
import { type Material, mutate } from './mutate.ts'
import { openRandom, type Random } from './random.ts'

const LENGTH_MAX = 2_048
/** Kept inputs are what others are made of: many long ones would make all of them slow. */
const TOKEN_LENGTH_MAX = 128
const FINDINGS_MAX = 8
/**
 * So many branches for each byte, and some for an input of none: more is no longer in proportion. A byte that is
 * no UTF-8 is three once it is a character, and a check that writes it again may write nine.
 */
const STEPS_PER_BYTE = 200
const STEPS_AT_LEAST = 6_000
const PATTERN_SAMPLES = 6

export interface Finding {
  readonly input: Buffer
  /** What did not hold. */
  readonly what: string
}

export interface Exploration {
  readonly executions: number
  /** How many inputs were taken by the parser. */
  readonly taken: number
  /** Branches of the target's own sources: those that were reached, and all of them. */
  readonly places: { readonly reached: number; readonly all: number }
  /** Inputs that together reach everything that was reached. */
  readonly kept: readonly Buffer[]
  readonly findings: readonly Finding[]
}

export interface ExploreOptions {
  readonly seed: number
  /** From earlier runs. */
  readonly corpus: readonly Buffer[]
  /** Asked before each input. */
  readonly isOver: (executions: number, findings: number) => boolean
  /** Keep nothing by what it reaches: to see what that is worth. */
  readonly isBlind?: boolean
}

export function explore(
  target: FuzzTarget,
  built: BuiltTargets,
  { seed, corpus, isOver, isBlind = false }: ExploreOptions,
): Exploration {
  const random = openRandom(seed)
  const { coverage } = built
  const sources = built.sourcesOf(target)
  const lengthMax = target.lengthMax ?? LENGTH_MAX
  const seen = new Set<number>()
  const kept: Buffer[] = []
  const findings: Finding[] = []
  const own = openMaterial(target, sources, seed)
  let executions = 0
  let taken = 0

  function run(input: Buffer): Reached & { readonly fault?: string } {
    executions += 1
    let fault: string | undefined
    const reached = coverage.measure(
      () => {
        try {
          if (target.check(input)) taken += 1
        } catch (error) {
          fault = describeError(error)
        }
      },
      Math.max(STEPS_AT_LEAST, input.length * STEPS_PER_BYTE),
    )
    if (reached.isExceeded) fault = 'more steps than are in proportion to the input'
    return fault === undefined ? reached : { ...reached, fault }
  }

  function tryInput(input: Buffer): void {
    const { features, fault } = run(input)
    if (fault !== undefined && !findings.some(({ what }) => what === fault)) {
      findings.push({ input: minimise(input, (other) => run(other).fault === fault), what: fault })
    }
    const isNew = features.some((feature) => !seen.has(feature))
    if (!isNew) return
    for (const feature of features) seen.add(feature)
    if (fault === undefined && !isBlind) kept.push(input)
  }

  for (const input of [
    ...target.seeds.map((one) => toInput(target, one)),
    ...corpus,
    ...own.samples,
  ]) {
    const cut = input.subarray(0, lengthMax)
    tryInput(cut)
    if (isBlind) kept.push(cut)
  }
  tryInput(Buffer.alloc(0))
  while (!isOver(executions, findings.length) && findings.length < FINDINGS_MAX) {
    const operands = executions % 256 === 0 ? coverage.operands() : []
    own.addTokens(operands)
    const material: Material = { tokens: own.tokens, others: kept, lengthMax }
    tryInput(mutate(choose(kept, random), random, material))
  }
  return {
    executions,
    taken,
    places: countPlaces(sources, new Set([...seen].map((feature) => Math.floor(feature / 128)))),
    kept: cover(kept, (input) => run(input)),
    findings,
  }
}

/** The newest ones are where the search is. */
function choose(kept: readonly Buffer[], random: Random): Buffer {
  const among = random.below(3) === 0 ? kept.slice(-16) : kept
  return random.pick(among) ?? Buffer.alloc(0)
}

function openMaterial(
  target: FuzzTarget,
  sources: ReturnType<BuiltTargets['sourcesOf']>,
  seed: number,
) {
  const known = new Set<string>()
  const tokens: Buffer[] = []
  const addTokens = (texts: readonly string[]) => {
    for (const text of texts) {
      if (text === '' || text.length > TOKEN_LENGTH_MAX || known.has(text)) continue
      known.add(text)
      tokens.push(toInput(target, text))
    }
  }
  const samples = sources
    .flatMap(({ patterns }) => patterns)
    .flatMap((pattern) => samplesOf(pattern, seed))
  addTokens([...target.tokens, ...sources.flatMap(({ texts }) => texts), ...samples])
  return { tokens, addTokens, samples: samples.map((text) => toInput(target, text)) }
}

/**
 * Texts that match the pattern; none for one that looks ahead, which cannot be turned around. Of Unicode's
 * classes, and of what matches anywhere in a text, they would take minutes to make.
 */
function samplesOf(pattern: RegExp, seed: number): readonly string[] {
  if (!/^\^.*\$$/.test(pattern.source) || pattern.source.includes('\\p')) return []
  try {
    return fc.sample(fc.stringMatching(pattern), { seed, numRuns: PATTERN_SAMPLES })
  } catch {
    return []
  }
}

function countPlaces(
  sources: ReturnType<BuiltTargets['sourcesOf']>,
  reached: ReadonlySet<number>,
): Exploration['places'] {
  const all = sources.flatMap(({ placesStart, placesEnd }) =>
    Array.from({ length: placesEnd - placesStart }, (_, index) => placesStart + index),
  )
  return { reached: all.filter((place) => reached.has(place)).length, all: all.length }
}

/** The fewest of them that reach every place, the shortest first. */
function cover(kept: readonly Buffer[], run: (input: Buffer) => Reached): Buffer[] {
  const seen = new Set<number>()
  return [...kept]
    .sort((one, other) => one.length - other.length)
    .filter((input) => {
      const { places } = run(input)
      const isNew = places.some((place) => !seen.has(place))
      for (const place of places) seen.add(place)
      return isNew
    })
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${typeof error}`
  // Values in the message would make every input another finding.
  return `${error.name}: ${error.message.split(/[:\n]/)[0]}`
}
