// What became of the lines of an import: counted as it goes, so that a file of any length takes no
// memory, and told at its end.

import type { LineOutcome } from '../management/user-import.ts'
import type { FieldError } from '../runtime/field-error.ts'

/** How many faults the document of `--json` holds. In text every one is printed as it is found. */
const PROBLEMS_MAX = 10_000

export interface LineProblem {
  readonly line: number
  readonly errors: readonly FieldError[]
}

/** How the work of a hash compares with the configured one. */
export interface LineTraits {
  readonly isHashWeak: boolean
  readonly isHashDear: boolean
}

export interface ImportReport {
  noteValid(traits: LineTraits): void
  noteProblem(problem: LineProblem): void
  /** `hasPassword`: the line has one in place of a hash, which takes time if the user is added. */
  noteOutcome(outcome: LineOutcome, hasPassword: boolean): void
  /** How many lines were read that are not empty. */
  users(): number
  invalid(): number
  /** The document of `--json`. */
  toDocument(): Record<string, unknown>
  /** The end of the text, without the problems. */
  toText(): string
}

export function openImportReport({ isDryRun }: { readonly isDryRun: boolean }): ImportReport {
  const startedAtMs = performance.now()
  const problems: LineProblem[] = []
  let [users, invalid, alreadyThere, added, passwords] = [0, 0, 0, 0, 0]
  let [weakHashes, dearHashes] = [0, 0]

  function noteProblem(problem: LineProblem): void {
    invalid += 1
    if (problems.length < PROBLEMS_MAX) problems.push(problem)
  }

  function timing() {
    const seconds = (performance.now() - startedAtMs) / 1_000
    return { seconds: Number(seconds.toFixed(1)), usersPerSecond: Math.round(users / seconds) }
  }

  return {
    noteValid({ isHashWeak, isHashDear }) {
      users += 1
      weakHashes += Number(isHashWeak)
      dearHashes += Number(isHashDear)
    },
    noteProblem(problem) {
      users += 1
      noteProblem(problem)
    },
    noteOutcome(outcome, hasPassword) {
      if (outcome.outcome === 'taken') noteProblem(outcome)
      alreadyThere += Number(outcome.outcome === 'there')
      added += Number(outcome.outcome === 'added')
      const isToBeThere = outcome.outcome === 'added' || outcome.outcome === 'free'
      passwords += Number(hasPassword && isToBeThere)
    },
    users: () => users,
    invalid: () => invalid,
    toDocument: () => ({
      users,
      valid: users - invalid,
      ...(isDryRun ? {} : { added }),
      alreadyThere,
      invalid,
      weakHashes,
      dearHashes,
      ...(isDryRun ? {} : timing()),
      problems: problems
        .sort((one, other) => one.line - other.line)
        .map(({ line, errors }) => ({ line, errors })),
    }),
    toText() {
      const { seconds, usersPerSecond } = timing()
      const lines: readonly (string | false)[] = [
        isDryRun ? `valid: ${users - invalid} of ${users}` : `added: ${added} of ${users}`,
        alreadyThere > 0 && `already there: ${alreadyThere}`,
        !isDryRun && invalid > 0 && `not added: ${invalid}`,
        weakHashes > 0 && `weak hashes, renewed at the next login: ${weakHashes}`,
        dearHashes > 0 &&
          `dear hashes, renewed at the next login; until then every login costs that: ${dearHashes}`,
        passwords > 0 &&
          `passwords in place of hashes, ${isDryRun ? 'to be hashed' : 'hashed here'}: ${passwords}`,
        !isDryRun && `${seconds} s, ${usersPerSecond} users a second`,
      ]
      return lines.filter((line) => line !== false).join('\n')
    },
  }
}

/** One line of text for each fault. */
export function formatProblem({ line, errors }: LineProblem): string {
  return errors
    .map(({ pointer, detail }) => `line ${line}: ${`${pointer.slice(1)} ${detail}`.trim()}\n`)
    .join('')
}
