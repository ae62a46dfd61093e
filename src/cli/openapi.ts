/** `millrace openapi`: prints the document that an instance serves at `/api/openapi.json`. */

import { Command } from 'commander'

export const openApiCommand = (): Command =>
  new Command('openapi')
    .description('Print the OpenAPI 3.1 document of the HTTP API.')
    .action(async () => {
      const { shopApiText } = await import('./shop-server.ts')
      const document: unknown = JSON.parse(await shopApiText())
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    })
