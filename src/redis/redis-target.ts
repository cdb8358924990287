// Where Redis is, in each of the three ways in which it can be run.

export interface RedisTarget {
  readonly mode: 'single' | 'cluster' | 'sentinel'
  readonly tls: boolean
  /** Servers, or with `sentinel` the Sentinels. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  /** The master's name; only with Sentinel. */
  readonly sentinelName: string | undefined
}
