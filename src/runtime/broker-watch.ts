/**
 * Notices within seconds that the broker is away, and that it is back.
 *
 * Opened by the composition root next to an application on Kafka: calls of the broker client wait
 * out what may pass, for half a minute, and an instance that is idle makes none. 1. One small
 * question at a time, one each second while it is answered. 2. A refusal is an answer too. 3. Time
 * is counted in turns of our own, so that a stall of this process is not taken for silence.
 */

import type { BrokerError } from '../broker/errors.ts'
import type { Broker } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'

export interface BrokerWatchOptions {
  readonly broker: Broker
  /** Asked about; it need not exist. */
  readonly topic: string
  /** Of the broker, for messages: `Kafka at host:9092`. */
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
}

const turnMs = 1_000
/** Turns without an answer until the broker counts as away. */
const silentTurns = 3

export class BrokerWatch {
  readonly #options: BrokerWatchOptions
  #turns = 0
  #isAsking = false
  #isSilent = false
  #isStopped = false
  #reason: string | undefined
  #silence = Promise.withResolvers<void>()
  #cancel: () => void = () => {}

  constructor(options: BrokerWatchOptions) {
    this.#options = options
    this.#turn()
  }

  /** True from about 4 s after its last answer until the next one. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** Resolves when the broker is away, at once if it already is; never after `stop`. */
  untilSilent(): Promise<void> {
    return this.#silence.promise
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #turn(): void {
    if (this.#turns >= silentTurns && !this.#isSilent) this.#fellSilent()
    this.#turns += 1
    if (!this.#isAsking) void this.#ask()
    this.#cancel = this.#options.clock.setTimer(turnMs, () => this.#turn())
  }

  async #ask(): Promise<void> {
    const { broker, topic } = this.#options
    this.#isAsking = true
    try {
      await broker.topics.describe([topic])
      this.#answered()
    } catch (error) {
      const { action, code, message } = error as Partial<BrokerError>
      if (action === 'retry') this.#reason = message
      else if (code !== 'BROKER_CLOSED') this.#answered() // closed is our own side
    } finally {
      this.#isAsking = false
    }
  }

  #answered(): void {
    this.#turns = 0
    this.#reason = undefined
    if (!this.#isSilent || this.#isStopped) return
    this.#isSilent = false
    this.#silence = Promise.withResolvers()
    this.#options.logger.warn({}, `${this.#options.name} answers again`)
  }

  #fellSilent(): void {
    const { name, logger } = this.#options
    this.#isSilent = true
    const reason = this.#reason ?? `nothing came for ${(silentTurns * turnMs) / 1_000} s`
    logger.warn({}, `${name} does not answer: ${reason}; waiting`)
    this.#silence.resolve()
  }
}
