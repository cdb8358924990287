// What a row of the configuration table says of one variable, and how such rows are written.

import type { Parser } from './config-values.ts'

export interface Setting<T> {
  readonly parse: Parser<T>
  /** Parsed like a value from the environment; undefined where unset has a meaning of its own. */
  readonly default: string | undefined
  /** One line, also saying what unset means where there is no default. */
  readonly meaning: string
  /** What an empty value stands for, where it is not the same as an unset one. */
  readonly whenEmpty?: string
  /** Also read from the file that `NAME_FILE` names. */
  readonly isSecret?: true
}

/** A variable with a default. */
export function row<T>(fallback: string, parse: Parser<T>, meaning: string): Setting<T> {
  return { parse, default: fallback, meaning }
}

/** A variable that may be left out. */
export function optional<T>(parse: Parser<T>, meaning: string): Setting<T | undefined> {
  return { parse, default: undefined, meaning }
}

/** One that may also stand in a file. */
export function secret<T>(parse: Parser<T>, meaning: string): Setting<T | undefined> {
  return { parse, default: undefined, meaning, isSecret: true }
}
