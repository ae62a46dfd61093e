/** The log of a process: pino's JSON lines on stderr, so that stdout carries data only. */

import { destination, pino } from 'pino'
import type { Logger } from '../logger.ts'

/** @param level  the lowest that is written; `silent` writes nothing */
export const stderrLogger = (level: string): Logger =>
  // synchronous: the last lines before an exit are the ones that matter
  pino({ level, base: { pid: process.pid } }, destination({ dest: 2, sync: true }))
