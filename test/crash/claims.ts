// What clients were told, and so what must be true after a crash: of each thing the values that it may
// have. What was answered is certain; what was asked for without an answer may be so or not.

export interface Claims {
  /** Asked for: it may become `value`, now or never. */
  ask(what: string, value: string): void
  /** Answered: it is `value`, and nothing else. */
  answer(what: string, value: string): void
  /** The values that it may have; none where nothing was ever said of it. */
  of(what: string): readonly string[]
  /** Everything that something was said of. */
  all(): readonly string[]
  /** Compares with what there is, which is certain from then on; what is wrong, in words. */
  see(what: string, seen: string): string | undefined
}

export function openClaims(): Claims {
  const possible = new Map<string, readonly string[]>()
  const of = (what: string) => possible.get(what) ?? []
  return {
    ask: (what, value) => void possible.set(what, [...of(what), value]),
    answer: (what, value) => void possible.set(what, [value]),
    of,
    all: () => [...possible.keys()],
    see(what, seen) {
      const allowed = of(what)
      possible.set(what, [seen])
      if (allowed.length === 0 || allowed.includes(seen)) return undefined
      return `${what} is ${seen}, and was said to be ${allowed.join(' or ')}`
    },
  }
}
