/**
 * Answers what is no HTTP, or too slow or too large to be read: a problem document, then the end.
 *
 * Called by fastify with the bare socket; there is no request yet, so nothing of it can be named.
 */

import type { ConnectionError } from 'fastify'
import type { Socket } from 'node:net'
import { problemText, problemType } from './problem.ts'

const answers: Readonly<Record<string, readonly [status: number, line: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come in time.'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are too large.'],
}

export const endWithProblem = (error: ConnectionError, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (!socket.writable) return void socket.destroy(error)
  const [status, line, detail] = answers[error.code] ?? [400, 'Bad Request', 'This is no HTTP/1.1.']
  const body = problemText(status, { detail })
  socket.end(
    `HTTP/1.1 ${status} ${line}\r\ncontent-type: ${problemType}\r\nconnection: close\r\n`
      + `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
