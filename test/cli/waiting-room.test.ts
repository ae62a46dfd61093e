/** While Kafka does not answer, the instance does: alive, not ready, and it says why. */

import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterAll, expect, it } from 'vitest'
import { startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const ask = async (url: string): Promise<{ status: number; text: string } | undefined> => {
  try {
    const response = await fetch(url)
    return { status: response.status, text: await response.text() }
  } catch {
    return undefined // it does not listen yet
  }
}

it('answers health while it waits, and ends with a clear error', async () => {
  const [port, kafkaPort] = [await freePort(), await freePort()]
  const bootstrap = `127.0.0.1:${kafkaPort}`
  const { ended } = startMillrace(
    ['run', 'shop', '--bootstrap', bootstrap, '--connect-timeout', '6s'].concat(
      '--port',
      `${port}`,
      '--state-dir',
      folder.path,
    ),
  )
  const at = `http://127.0.0.1:${port}`
  while ((await ask(`${at}/health/live`))?.status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect((await ask(`${at}/health/ready`))?.status).toBe(503)
  const order = await ask(`${at}/api/orders/a`)
  expect(order?.status).toBe(503)
  expect(order?.text).toContain(bootstrap)
  const { exitCode, stderr } = await ended
  expect(exitCode, stderr).toBe(1)
  expect(stderr).toContain('BROKER_UNAVAILABLE')
}, 30_000)
