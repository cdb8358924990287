// What `lineage doctor --json` has printed, as tests ask it.

import type { Finding } from '../../src/cli/doctor/finding.ts'

/** The findings of a report, from the one of the check `from` on where that is given. */
export function readFindings(stdout: string, from?: string): Finding[] {
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  return from === undefined
    ? findings
    : findings.slice(findings.findIndex(({ check }) => check === from))
}

/** Findings with what is asked of them: those that are bad as `status check`, and one by its check. */
export function survey(findings: readonly Finding[]) {
  return {
    findings,
    bad: findings
      .filter(({ status }) => status === 'warn' || status === 'fail')
      .map(({ check, status }) => `${status} ${check}`),
    find: (check: string) => findings.find((finding) => finding.check === check),
  }
}
