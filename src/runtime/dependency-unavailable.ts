// The one error that says "a server we depend on did not answer". It carries no command, query or
// argument, because those can hold secrets.

export type Dependency = 'postgresql' | 'redis'

/**
 * `outage`: the server refused, dropped the connection or was silent. `queue`: the server was not
 * even asked, because too much of our own work was waiting for a connection.
 */
export type UnavailableCause = 'outage' | 'queue'

/**
 * A dependency refused, dropped or outlived its deadline; callers answer 503 (docs/semantics.md
 * §12).
 */
export class DependencyUnavailable extends Error {
  readonly dependency: Dependency
  readonly because: UnavailableCause

  constructor(dependency: Dependency, detail: string, because: UnavailableCause = 'outage') {
    super(`${dependency} is unavailable: ${detail}`)
    this.name = 'DependencyUnavailable'
    this.dependency = dependency
    this.because = because
  }
}
