// C1 to C9: what the token endpoint makes of a request before it looks at anyone's credentials.

import { needsClient, needsGrant } from '../check-needs.ts'
import { type Check, expect } from '../conformance-check.ts'
import { describeAnswer } from '../tested-service.ts'

export const REQUEST_ROWS: readonly Check[] = [
  {
    row: 'C1',
    level: 'MUST',
    sentence: 'The token endpoint takes POST only and refuses GET.',
    needs: [needsClient, needsGrant('client_credentials')],
    async run(service) {
      const url = service.endpoint('token') ?? ''
      const answer = await service.send(`${url}?grant_type=client_credentials`, { method: 'GET' })
      expect(answer.status === 405, `GET was answered with ${describeAnswer(answer)}, not 405`)
      expect(answer.headers.allow?.includes('POST'), 'the 405 names no POST in Allow')
    },
  },
]
