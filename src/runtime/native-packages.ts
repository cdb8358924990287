// Whether the packages with compiled code load on this Node.js. One that is built for a newer
// Node-API ends the process without any message, so they are tried in another process.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { StartError } from './start-error.ts'

const PACKAGES = ['argon2', 'bcrypt']
const require = createRequire(import.meta.url)

/**
 * Throws StartError with one line that names the package. Passes when no process can be started to
 * try it.
 */
export async function checkNativePackages(env: NodeJS.ProcessEnv): Promise<void> {
  // Nearly always all of them load, and one process that says so takes half of what two take.
  if ((await tryToLoad(PACKAGES, env)) === undefined) return
  for (const name of PACKAGES) {
    const obstacle = await tryToLoad([name], env)
    if (obstacle === undefined) continue
    const { platform, arch, version } = process
    throw new StartError(
      `the package ${name} ${versionOf(name)} does not load on Node.js ${version}, ` +
        `${platform}-${arch}: ${obstacle}; install the packages anew with this Node.js`,
    )
  }
}

/** Why they do not load, on one line. */
function tryToLoad(names: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const loads = names.map((name) => `require(${JSON.stringify(require.resolve(name))})`)
    const child = spawn(process.execPath, ['-e', loads.join(';')], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 10_000)
    })
    child.on('error', () => resolve(undefined))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(undefined)
      const error = /^\w*Error: (.*)$/m.exec(said)?.[1]
      resolve(error ?? `it ends the process (${signal ?? `exit code ${code}`})`)
    })
  })
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8'))
  return String(version)
}
