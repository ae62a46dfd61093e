/**
 * Opens the serdes of a topology that keep their schemas in a registry, before any task runs.
 *
 * Called by the application, and by whoever reads or writes its topics without one. 1. Internal
 * topics come last: a serde that they share with an external one is registered there. 2. A
 * registry that is away is waited for; what is missing in it stops the start.
 */

import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import { SchemaRegistryError } from '../schema-registry/errors.ts'
import type { SchemaSession } from '../schema-registry/schema-session.ts'
import type { SerdePlace, Serdes } from '../serde/serde.ts'
import type { Plan } from '../topology/graph.ts'
import { sleep } from './sleep.ts'
import { ToldReasons } from './told-reasons.ts'

/** So long an answer may take before it is said that none came. */
const slowMs = 1_000

export interface SchemaTopic {
  readonly handle: Serdes<unknown, unknown>
  /** As the broker knows it. */
  readonly name: string
  readonly isInternal: boolean
}

export interface OpenSchemasOptions {
  readonly session: SchemaSession | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Nobody waits any more. */
  readonly isLeaving: () => boolean
  readonly leaving: Promise<void>
  /** What the registry said last; undefined when it answers. */
  onTrouble(trouble: string | undefined): void
}

/** Topics that a plan reads or writes, with the name each has at the broker. */
export const schemaTopics = (
  { nodes, globals }: Plan,
  physicalName: (logical: string) => string,
): readonly SchemaTopic[] => {
  const ofNodes = nodes.flatMap(({ topic, topicHandle, internalTopic: isInternal }) =>
    topic === undefined || topicHandle === undefined
      ? []
      : [{ handle: topicHandle, name: physicalName(topic), isInternal }],
  )
  const ofGlobals = [...globals.values()].map((handle) => ({
    handle,
    name: physicalName(handle.name),
    isInternal: false,
  }))
  return [...ofNodes, ...ofGlobals].toSorted((a, b) => Number(a.isInternal) - Number(b.isInternal))
}

/**
 * Every serde, once.
 *
 * @param onOpened  called after each
 * @throws {SchemaRegistryError} `retry`: again later; `stop`: a schema is missing or refused
 */
export const openSerdes = async (
  topics: readonly SchemaTopic[],
  session: SchemaSession,
  onOpened: () => void = () => {},
): Promise<void> => {
  for (const { handle, name, isInternal } of topics) {
    for (const part of ['key', 'value'] as const) {
      const place: SerdePlace = { topic: name, part, isInternal }
      await handle[part].schemas?.open(session, place)
      onOpened()
    }
  }
}

/**
 * As `openSerdes`, while the registry is away too.
 *
 * @throws {RuntimeError} STREAMS_CONFIG: a serde wants a registry, and there is none
 */
export const openSchemas = async (
  topics: readonly SchemaTopic[],
  options: OpenSchemasOptions,
): Promise<void> => {
  const { session, clock, logger, isLeaving, leaving, onTrouble } = options
  if (session === undefined) return checkNoneNeeded(topics)
  const told = new ToldReasons()
  for (let failures = 1; !isLeaving(); failures++) {
    const silence = new Silence(clock, onTrouble)
    const opened = openSerdes(topics, session, () => silence.broken())
    opened.catch(() => {}) // once nobody waits any more
    try {
      await Promise.race([opened, leaving]).finally(() => silence.end())
      return onTrouble(undefined)
    } catch (error) {
      if (!(error instanceof SchemaRegistryError) || error.action !== 'retry') throw error
      const reason = error.message
      const message = 'the schema registry cannot be reached; tried again'
      if (told.isNew(reason)) logger.warn({ reason }, message)
      onTrouble(`the schema registry cannot be reached: ${reason}`)
      await Promise.race([sleep(clock, Math.min(10_000, 50 * 2 ** failures)), leaving])
    }
  }
}

/** Tells, until its end, when nothing came of the registry for too long, and that something did. */
class Silence {
  readonly #clock: Clock
  readonly #onTrouble: OpenSchemasOptions['onTrouble']
  #cancel: () => void
  #isTold = false
  #isEnded = false

  constructor(clock: Clock, onTrouble: OpenSchemasOptions['onTrouble']) {
    this.#clock = clock
    this.#onTrouble = onTrouble
    this.#cancel = this.#begin()
  }

  broken(): void {
    if (this.#isEnded) return
    this.#cancel()
    if (this.#isTold) this.#onTrouble(undefined)
    this.#isTold = false
    this.#cancel = this.#begin()
  }

  end(): void {
    this.#isEnded = true
    this.#cancel()
  }

  #begin(): () => void {
    return this.#clock.setTimer(slowMs, () => {
      this.#isTold = true
      this.#onTrouble('the schema registry does not answer')
    })
  }
}

const checkNoneNeeded = (topics: readonly SchemaTopic[]): void => {
  const needy = topics.find(({ handle: { key, value } }) =>
    [key, value].some(({ schemas }) => schemas?.isRequired === true),
  )
  if (needy === undefined) return
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `topic ${needy.name} has its schemas in a registry: give the application its schemaSession`,
  )
}
