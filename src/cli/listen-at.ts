/** Where an instance is to be reached: a port that is taken is the user's to change. */

import type { FastifyInstance } from 'fastify'
import { listenOnLoopback } from '../http/http-server.ts'
import { CommandError } from './failure.ts'

/**
 * Listens on 127.0.0.1.
 *
 * @returns the address, such as `http://127.0.0.1:4004`
 * @throws {CommandError} the port is in use
 */
export const listenAt = async (server: FastifyInstance, port: number): Promise<string> => {
  try {
    return await listenOnLoopback(server, port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new CommandError(
      `port ${port} is in use; choose another with --port (0 takes any free one)`,
    )
  }
}
