// tap as one file, for the processes of one run of the tests: read from its forty packages it takes
// most of the time of a file that tests little.

import { join } from 'node:path'
import { build } from 'esbuild'
import { writeAside } from './write-aside.mjs'

/** Builds it where whatever lies in `built` finds it before the package itself. */
export async function bundleTap(root, built) {
  const { outputFiles } = await build({
    stdin: { contents: "export * from 'tap'\nexport { default } from 'tap'", resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: REQUIRE },
    write: false,
    logLevel: 'silent',
    plugins: [withoutHooks],
  })
  const folder = join(built, 'node_modules/tap')
  const manifest = { name: 'tap', type: 'module', exports: './index.js' }
  writeAside(join(folder, 'package.json'), JSON.stringify(manifest))
  writeAside(join(folder, 'index.js'), outputFiles[0].contents)
}

/** Some of its packages are CommonJS. */
const REQUIRE = `import { createRequire as makeRequire } from 'node:module'
const require = makeRequire(import.meta.url)`

/**
 * To tell whose an error is that nobody caught, tap follows every promise and every socket of the
 * process, of which our services have many. Our tests run one after the other, so that it belongs to
 * the innermost that has not ended: as if all of them were one asynchronous resource.
 */
const withoutHooks = {
  name: 'without-hooks',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^async_hooks$/ }, ({ importer }) =>
      importer.includes('async-hook-domain')
        ? { path: 'hooks', namespace: 'without-hooks' }
        : undefined,
    )
    onLoad({ filter: /./, namespace: 'without-hooks' }, () => ({
      contents: `export const createHook = () => ({ enable() {}, disable() {} })
        export const executionAsyncId = () => 1`,
    }))
  },
}
