// What one check of `lineage doctor` has found.

export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail' | 'skip'
  readonly detail: string
  /** What to do about it; undefined when nothing has to be done. */
  readonly advice?: string
}

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail }
}

export function warn(check: string, detail: string, advice: string): Finding {
  return { check, status: 'warn', detail, advice }
}

export function fail(check: string, detail: string, advice: string): Finding {
  return { check, status: 'fail', detail, advice }
}

/** What could not be looked at, or does not apply. */
export function skip(check: string, detail: string): Finding {
  return { check, status: 'skip', detail }
}
