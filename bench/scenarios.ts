// What is measured, in the order in which it is reported.

export const SCENARIOS = {
  refresh: 'refresh_token',
  'client-credentials': 'client_credentials',
  introspect: 'introspection',
  'introspect-once': 'introspection, each token once',
  verify: '/verify',
  revoke: 'revocation',
  jwks: 'JWKS',
  metadata: 'metadata',
  login: 'password login',
  flood: 'refresh_token in a login flood',
} as const

export type ScenarioName = keyof typeof SCENARIOS

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[]

/** Those that one of `words` names; all without a word. Throws for a word that names none. */
export function selectScenarios(words: readonly string[]): ScenarioName[] {
  for (const word of words) {
    if (!SCENARIO_NAMES.some((name) => name.includes(word))) {
      throw new Error(
        `no scenario is called ${word}: ${SCENARIO_NAMES.join(', ')}, workers, start, owner`,
      )
    }
  }
  return SCENARIO_NAMES.filter((name) => words.length === 0 || words.some((w) => name.includes(w)))
}
