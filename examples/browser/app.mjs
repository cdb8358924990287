// The app's own origin: four static files, and what the page has to know.

import { readFile } from 'node:fs/promises'

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/session.js': ['session.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
}

/** A request handler. `settings` are public: `{ issuer, clientId, api }`. */
export function openApp(settings) {
  const { issuer, api } = settings
  // Whatever gets into the page can talk to these two only, and be framed by nobody.
  const policy = `default-src 'self'; connect-src 'self' ${issuer} ${api}; frame-ancestors 'none'`

  return async (request, response) => {
    response.setHeader('content-security-policy', policy)
    if (request.url === '/settings.json') {
      response.setHeader('content-type', 'application/json')
      return response.end(JSON.stringify(settings))
    }
    if (!Object.hasOwn(FILES, request.url)) return response.writeHead(404).end()
    const [name, type] = FILES[request.url]
    response.setHeader('content-type', type)
    response.end(await readFile(new URL(`public/${name}`, import.meta.url)))
  }
}
