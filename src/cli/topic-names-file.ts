/**
 * The file of `--topic-names`: a name for each topic of the catalogue, as a JSON object.
 *
 * Read once, before anything is opened. 1. Every topic has exactly one name, legal for Kafka.
 * 2. No two are alike: Kafka refuses names that differ in dots and underscores only. 3. None is of
 * the kind that the application gives to its own topics.
 */

import { existsSync } from 'node:fs'
import {
  catalogueNames,
  profileNames,
  TopicNames,
} from '../../topologies/shop/shared/topic-names.ts'
import { dataKeysTopic } from '../../topologies/shop/shared/topics.ts'
import { auditTopicName } from '../dlq/audit-entry.ts'
import { nearest } from '../config/nearest.ts'
import { parseJson } from '../config/parse-json.ts'
import { UsageError } from '../config/usage-error.ts'
import { flagFile } from './flag-file.ts'

/** @throws {UsageError} names the file and what is wrong, with the nearest name that would do */
export const namesInFile = (path: string): TopicNames => {
  if (!existsSync(path)) {
    throw new UsageError(
      `--topic-names: ${JSON.stringify(path)} is none of ${profileNames.join(', ')}, nor a file; `
        + `the nearest is '${nearest(path, profileNames)}'`,
    )
  }
  const wrong = (what: string): UsageError => new UsageError(`--topic-names ${path}: ${what}`)
  const names = objectIn(flagFile('--topic-names', path).toString(), wrong)
  for (const [topic, name] of Object.entries(names)) {
    const problem = problemOf(topic, name)
    if (problem !== undefined) throw wrong(problem)
  }
  const missing = catalogueNames.filter((topic) => !Object.hasOwn(names, topic))
  if (missing.length > 0) throw wrong(`there is no name for ${missing.join(', ')}`)
  const given = new TopicNames(path, names as Readonly<Record<string, string>>)
  checkApart(given, wrong)
  return given
}

const objectIn = (text: string, wrong: (what: string) => UsageError): object => {
  const parsed = parseJson(text, wrong)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw wrong('an object is expected, with a name for each topic of the catalogue')
  }
  // JSON.parse takes the last of two: which one was meant is not known
  const keys = [...text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/g)].map(([, key]) => key!)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw wrong(`${twice} is named twice`)
  return parsed
}

const problemOf = (topic: string, name: unknown): string | undefined => {
  if (!catalogueNames.includes(topic)) {
    return `unknown topic '${topic}'; the nearest known one is '${nearest(topic, catalogueNames)}'`
  }
  if (typeof name !== 'string') return `the name of ${topic} is not a text`
  if (!legalName.test(name)) {
    return (
      `${topic}: ${JSON.stringify(name)} is no name for a topic: up to ${nameLengthMax} of a-z, `
      + `A-Z, 0-9, dot, underscore and hyphen${suggestion(name)}`
    )
  }
  if (ownName.test(name)) {
    return `${topic}: names such as ${name} are for what the application or Kafka makes for itself`
  }
  return undefined
}

/** What is left of the name without what is not allowed in it. */
const suggestion = (name: string): string => {
  const legal = name.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').slice(0, nameLengthMax)
  return legalName.test(legal) ? `; the nearest is '${legal}'` : ''
}

/** The topic beside the dead letters is named after theirs; that of the keys has one name. */
const checkApart = (names: TopicNames, wrong: (what: string) => UsageError): void => {
  const known = new Map<string, string>([
    [folded(auditTopicName(names.deadLetters)), 'the audit of the dead letters'],
    [folded(dataKeysTopic.name), 'the keys to personal data'],
  ])
  for (const [topic, name] of names.byCatalogue) {
    const other = known.get(folded(name))
    if (other !== undefined) {
      throw wrong(`${topic} and ${other} would have names that are alike: ${name}`)
    }
    known.set(folded(name), topic)
  }
}

/** In the names of Kafka's metrics a dot is an underscore. */
const folded = (name: string): string => name.replaceAll('.', '_')

/** Kafka allows 249; the audit of the dead letters needs its ending. */
const nameLengthMax = 240
const legalName = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,240}$/
const ownName = /-(changelog|repartition)$|^_schemas$|^__/
