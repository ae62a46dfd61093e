/** Goal: a registry behind TLS is trusted by the authority that is named, and by no other. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { HttpRegistry } from '../../src/schema-registry/http-registry.ts'

const script = '../../scripts/kafka/certificates.mjs'
const { makeCertificates } = (await import(script)) as {
  makeCertificates(directory: string): { readonly ca: string; readonly keystore: string }
}

test('only a registry of the named authority is asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { ca, keystore } = makeCertificates(folder)
  const pem = readFileSync(keystore)
  const server = createServer({ key: pem, cert: pem }, (_request, response) => {
    response.end('["orders-value"]')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const common = { url: `https://localhost:${port}`, clock: systemClock, attemptsMax: 1 }
  const trusting = new HttpRegistry({ ...common, ca: readFileSync(ca) })
  expect(await trusting.subjects()).toEqual(['orders-value'])
  await trusting.close()
  const other = new HttpRegistry(common)
  await expect(other.subjects()).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_UNAVAILABLE' })
  await other.close()
})
