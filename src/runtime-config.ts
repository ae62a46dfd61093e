/**
 * Every option of the runtime: unit, default, bounds and what it trades, in one table.
 *
 * The CLI builds its flags, environment names and docs from it; `resolveConfig` checks a partial
 * configuration and names what is wrong. Units are the last word of each name.
 */

import { RuntimeError } from './errors/classes.ts'
import { failureClassNames, type FailureClasses } from './errors/failure-class.ts'

interface NumberOption {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly doc: string
}

export const runtimeOptions = {
  commitIntervalMs: {
    default: 100,
    min: 1,
    max: 600_000,
    doc: 'Longest time between two commits under load: bounds what a crash repeats.',
  },
  commitMinIntervalMs: {
    default: 5,
    min: 0,
    max: 60_000,
    doc: 'Shortest time between two commits when the inputs are caught up.',
  },
  commitRecordsMax: {
    default: 50_000,
    min: 1,
    max: 10_000_000,
    doc: 'Records after which a commit is due before its interval: bounds memory.',
  },
  sliceMs: {
    default: 5,
    min: 1,
    max: 1_000,
    doc: 'How long records are processed before the event loop gets a turn.',
  },
  fetchMaxWaitMs: {
    default: 500,
    min: 1,
    max: 30_000,
    doc: 'How long a fetch waits at the broker for a first record.',
  },
  fetchPartitionBytes: {
    default: 1_048_576,
    min: 1_024,
    max: 104_857_600,
    doc: 'Bytes asked of one partition by one fetch.',
  },
  bufferedPartitionBytes: {
    default: 4_194_304,
    min: 1_024,
    max: 1_073_741_824,
    doc: 'Undecoded bytes of one partition above which its fetching pauses.',
  },
  bufferedRecordsMax: {
    default: 20_000,
    min: 1,
    max: 10_000_000,
    doc: 'Records waiting in one partition above which its fetching pauses.',
  },
  maxTaskIdleMs: {
    default: 100,
    min: 0,
    max: 600_000,
    doc: 'How long a task waits for data known to be at the broker before it picks around it.',
  },
  maxFutureSkewMs: {
    default: 3_600_000,
    min: 0,
    max: 8_640_000_000_000,
    doc: 'A record from outside further ahead of the clock is a dead letter, moves no stream time.',
  },
  retryAttemptsMax: {
    default: 3,
    min: 1,
    max: 1_000,
    doc: 'Attempts at a record whose handler answers retry, before it is a dead letter.',
  },
  retryBackoffMs: {
    default: 1_000,
    min: 0,
    max: 600_000,
    doc: 'Wait before the second attempt; doubles with each.',
  },
  retryBackoffMaxMs: {
    default: 10_000,
    min: 0,
    max: 3_600_000,
    doc: 'Longest wait between two attempts.',
  },
  sessionTimeoutMs: {
    default: 10_000,
    min: 100,
    max: 1_800_000,
    doc: 'Without a heartbeat for so long, the group gives the tasks to others.',
  },
  heartbeatIntervalMs: {
    default: 300,
    min: 10,
    max: 600_000,
    doc: 'Time between two heartbeats; at most a third of the session timeout.',
  },
  maxStallMs: {
    default: 300_000,
    min: 100,
    max: 86_400_000,
    doc: 'An event loop that stands still for so long gives the tasks to others (Kafka only).',
  },
  transactionTimeoutMs: {
    default: 10_000,
    min: 1_000,
    max: 900_000,
    doc: 'After so long without an end the broker aborts a transaction.',
  },
  cachedSlotsMax: {
    default: 1_000,
    min: 100,
    max: 100_000_000,
    doc: 'Decoded rows each store of each task keeps, within their part of the state memory.',
  },
  applyAttemptsMax: {
    default: 5,
    min: 1,
    max: 1_000,
    doc: 'Attempts to write a committed generation to the local store before the tasks reopen.',
  },
  restoreBatchBytes: {
    default: 4_194_304,
    min: 1_024,
    max: 104_857_600,
    doc: 'Bytes asked of one changelog partition by one fetch of a restore.',
  },
} as const satisfies Record<string, NumberOption>

export type RuntimeOptionName = keyof typeof runtimeOptions

/**
 * What a handler of a failed record may answer. `retry` is for what may pass at another attempt:
 * poison and business failures go to the dead letters at once (`errors/failure-class.ts`).
 */
export type HandlerAnswer = 'fail' | 'skip' | 'retry' | 'deadLetter'

export interface RuntimeConfig extends Readonly<Record<RuntimeOptionName, number>> {
  /** Topic of the dead letters; `<applicationId>-dead-letters` if absent. */
  readonly deadLetterTopic?: string
  /** Written into every dead letter. */
  readonly applicationVersion: string
  readonly onDeserializationError: HandlerAnswer
  readonly onProcessingError: HandlerAnswer
  readonly onProductionError: HandlerAnswer
  /** Classes of the application's own errors, by their `code` or `name`. */
  readonly failureClasses: FailureClasses
}

const handlers = {
  applicationVersion: '0',
  onDeserializationError: 'deadLetter',
  onProcessingError: 'deadLetter',
  onProductionError: 'deadLetter',
  failureClasses: {},
} as const

/** @throws {RuntimeError} STREAMS_CONFIG: the message names the option and its bounds */
export const resolveConfig = (partial: Partial<RuntimeConfig> = {}): RuntimeConfig => {
  const config: Record<string, unknown> = { ...handlers, ...partial }
  for (const [name, option] of Object.entries(runtimeOptions)) {
    config[name] = checkNumber(name, option, partial[name as RuntimeOptionName])
  }
  for (const name of Object.keys(partial)) {
    if (!(name in runtimeOptions) && !(name in handlers) && name !== 'deadLetterTopic') {
      throw new RuntimeError('STREAMS_CONFIG', `unknown runtime option ${name}`)
    }
  }
  return checkTogether(config as unknown as RuntimeConfig)
}

const checkNumber = (name: string, option: NumberOption, value: number | undefined): number => {
  if (value === undefined) return option.default
  if (Number.isFinite(value) && value >= option.min && value <= option.max) return value
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `${name} is ${value}, but must be a number from ${option.min} to ${option.max}`,
  )
}

const checkTogether = (config: RuntimeConfig): RuntimeConfig => {
  const { heartbeatIntervalMs, sessionTimeoutMs, maxStallMs } = config
  checkClasses(config.failureClasses)
  if (heartbeatIntervalMs * 3 > sessionTimeoutMs) {
    throw new RuntimeError(
      'STREAMS_CONFIG',
      `heartbeatIntervalMs ${heartbeatIntervalMs} must `
        + `be at most a third of sessionTimeoutMs ${sessionTimeoutMs}`,
    )
  }
  if (heartbeatIntervalMs * 3 > maxStallMs) {
    throw new RuntimeError(
      'STREAMS_CONFIG',
      `maxStallMs ${maxStallMs} must `
        + `be at least three times heartbeatIntervalMs ${heartbeatIntervalMs}`,
    )
  }
  return config
}

const checkClasses = (classes: FailureClasses): void => {
  for (const [name, failureClass] of Object.entries(classes)) {
    if (failureClassNames.includes(failureClass)) continue
    throw new RuntimeError(
      'STREAMS_CONFIG',
      `failureClasses: ${name} is ${failureClass}, not one of ${failureClassNames.join(', ')}`,
    )
  }
}
