import type { Logger } from '../../src/logger.ts'

/** Keeps warnings and errors, one line each, with the message of the error they carry. */
export const loggerOf = (log: string[]): Logger => {
  const write = (details: object, message: string): void => {
    const { err } = details as { err?: { message?: string } }
    log.push(err?.message === undefined ? message : `${message}: ${err.message}`)
  }
  return { debug() {}, info() {}, warn: write, error: write }
}
