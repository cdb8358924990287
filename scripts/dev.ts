// `npm run dev`: the service from its sources. This alone reads `.env`; what the environment says
// already wins over the file.

import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'

if (existsSync('.env')) loadEnvFile('.env')
await import('../src/main.ts')
