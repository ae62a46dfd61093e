/**
 * What HTTP answers while Kafka does not: alive, not ready, 503 to everything else.
 *
 * Opened before the broker is waited for, on the port of the instance; closed when the instance
 * takes the port over.
 */

import { createHttpServer } from '../http/http-server.ts'
import { HttpProblem } from '../http/problem.ts'
import type { Logger } from '../logger.ts'
import { listenAt } from './listen-at.ts'

export interface WaitingRoom {
  /** The port taken, where 0 was asked for. */
  readonly port: number
  close(): Promise<void>
}

export const openWaitingRoom = async (
  port: number,
  { bootstrap, logger }: { readonly bootstrap: string; readonly logger: Logger },
): Promise<WaitingRoom> => {
  const server = createHttpServer({
    health: () => ({ isLive: true, isReady: false }),
    metrics: async () => '',
    logger,
  })
  server.all('/api/*', async () => {
    throw new HttpProblem(503, `The instance waits for Kafka at ${bootstrap}.`)
  })
  const address = await listenAt(server, port)
  return { port: Number(new URL(address).port), close: () => server.close() }
}
