// A connection that is closed when its login fails here. Where the driver refuses a login itself, for
// lack of a password say, it leaves the connection open: the server waits for it for a minute
// (`authentication_timeout`), and until then no command of ours ends and no database can be dropped.

import pg from 'pg'

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void)

/** For the option `Client` of a pool. */
export class ClosingClient extends pg.Client {
  override connect(): Promise<pg.Client>
  override connect(callback: Connected): void
  override connect(callback?: Connected): Promise<pg.Client> | undefined {
    if (!callback) {
      return new Promise((resolve, reject) => {
        this.connect((error: Error | null) => (error ? reject(error) : resolve(this)))
      })
    }
    super.connect((error: Error | null) => {
      if (error) void this.end().catch(() => {})
      const tell = callback as (error: Error | null, client: pg.Client) => void
      tell(error, this)
    })
    return undefined
  }
}
