// What of the settings has to be said, because it is not so without being said.

import { isDeepStrictEqual } from 'node:util'

/** Without the members that are as in `defaults`, and those that are told already. */
export function withoutDefaults<Settings extends object>(
  settings: Settings,
  defaults: Partial<Settings>,
  told: object = {},
): Partial<Settings> {
  const entries = Object.entries(settings).filter(
    ([name, value]) =>
      !Object.hasOwn(told, name) && !isDeepStrictEqual(value, defaults[name as keyof Settings]),
  )
  return Object.fromEntries(entries) as Partial<Settings>
}
