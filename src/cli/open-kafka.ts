/**
 * The Kafka of `--bootstrap`: waits for it, says what it tries, makes the shop's topics.
 *
 * Used by `run` and `load`; `topics` only connects. 1. Brokers that do not answer are waited for,
 * with each reason once on stderr, until `--connect-timeout`. 2. What waiting does not mend
 * (credentials, rights, a cluster that is too old, topics with other partition counts) ends the
 * command at once. 3. An interruption ends the wait, and not a first attempt that may succeed.
 */

import { BrokerError } from '../broker/errors.ts'
import type { KafkaBroker } from '../broker/kafka/kafka-broker.ts'
import { CommandError } from './failure.ts'
import { ToldReasons } from '../runtime/told-reasons.ts'
import type { KafkaSecurity } from './kafka-security.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { refuseOtherNames } from './refuse-other-names.ts'
import { applicationId, createShopTopics } from './shop-topics.ts'

export interface OpenKafkaOptions {
  /** `host:port,host:port` */
  readonly bootstrap: string
  readonly connectTimeoutMs: number
  readonly security: KafkaSecurity
  /** Ends the wait. */
  readonly interrupted: Promise<void>
}

const attemptMs = 2_000

/**
 * @throws {CommandError} no broker answered in time, or the wait was interrupted
 * @throws {BrokerError} what waiting does not mend
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: the shop there reads topics of other names
 */
export const openKafka = async (
  options: OpenKafkaOptions,
  names: TopicNames,
): Promise<KafkaBroker> => {
  const broker = await connectKafka(options)
  try {
    await refuseOtherNames(broker, names, applicationId)
    await createShopTopics(broker, names)
  } catch (error) {
    await broker.close()
    throw error
  }
  return broker
}

/** As `openKafka`, without making any topic. */
export const connectKafka = async (options: OpenKafkaOptions): Promise<KafkaBroker> => {
  let lastReason = ''
  const firstReason = Promise.withResolvers<void>()
  const onReason = (reason: string): void => {
    lastReason = reason
    firstReason.resolve()
  }
  const cut = Promise.all([options.interrupted, firstReason.promise]).then(() => {
    const why = `stopped while waiting for Kafka at ${options.bootstrap} (${lastReason})`
    throw new CommandError(why)
  })
  cut.catch(() => {})
  await Promise.race([waitForKafka(options, onReason), cut])
  const { bootstrap, security } = options
  const { KafkaBroker } = await kafkaModule()
  // as the catalogue keeps them: else the brokers would compress each batch themselves
  return KafkaBroker.open({ bootstrap, compression: 'lz4', ...security })
}

/** Not loaded where the embedded broker is used: it is a third of all code. */
const kafkaModule = () => import('../broker/kafka/kafka-broker.ts')

const waitForKafka = async (
  { bootstrap, connectTimeoutMs, security }: OpenKafkaOptions,
  onReason: (reason: string) => void,
): Promise<void> => {
  const { KafkaBroker } = await kafkaModule()
  const startedMs = performance.now()
  const passedMs = (): number => performance.now() - startedMs
  process.stderr.write(`millrace: connecting to Kafka at ${bootstrap}\n`)
  const told = new ToldReasons()
  for (;;) {
    const retryTimeoutMs = Math.max(1, Math.min(attemptMs, connectTimeoutMs - passedMs()))
    try {
      const broker = await KafkaBroker.open({
        bootstrap,
        ...security,
        retryTimeoutMs,
        connectTimeoutMs: retryTimeoutMs,
      })
      return await broker.close()
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'BROKER_UNAVAILABLE') throw error
      const leftMs = connectTimeoutMs - passedMs()
      // how a port that speaks TLS ends a greeting in plain text
      const isCut = security.tls === undefined && error.message.endsWith('Connection closed')
      const reason = `${error.message}${isCut ? '; does the port expect --tls?' : ''}`
      if (leftMs <= 0) throw unreachable(bootstrap, connectTimeoutMs, reason)
      onReason(reason)
      if (told.isNew(reason)) {
        process.stderr.write(
          `millrace: no answer yet (${reason}); trying for ${secondsOf(leftMs)} s more\n`,
        )
      }
    }
  }
}

const unreachable = (bootstrap: string, timeoutMs: number, reason: string): Error =>
  new CommandError(
    `BROKER_UNAVAILABLE: no Kafka broker at ${bootstrap} answered within `
      + `${secondsOf(timeoutMs)} s: ${reason}. Check the address, start one `
      + `(node scripts/kafka.mjs `
      + 'start), or wait longer with --connect-timeout',
  )

const secondsOf = (ms: number): number => Math.ceil(ms / 1_000)
