// The one error that says "a server we depend on did not answer". It carries no command, query or
// argument, because those can hold secrets.

export type Dependency = 'postgresql' | 'redis'

/** A dependency refused, dropped or outlived its deadline; callers answer 503 (DESIGN §12). */
export class DependencyUnavailable extends Error {
  readonly dependency: Dependency

  constructor(dependency: Dependency, detail: string) {
    super(`${dependency} is unavailable: ${detail}`)
    this.name = 'DependencyUnavailable'
    this.dependency = dependency
  }
}
