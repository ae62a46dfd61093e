/**
 * The names of the shop's topics for a command: of `--topic-names`, else of the state directory.
 *
 * 1. A state directory keeps the names it was begun with in `topic-names.json`: its committed
 * offsets belong to those topics, so other names are refused, and none need be given. One without
 * that file is of the time before there was a choice. 2. They bind from the first database on: a
 * start that failed before leaves the choice open. 3. On a Kafka, commands that belong to no
 * directory take the flag alone.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  catalogueNames,
  profileNames,
  type ProfileName,
  TopicNames,
} from '../../topologies/shop/shared/topic-names.ts'
import { engineOf } from '../../state/made-by.ts'
import type { Settings } from '../config/settings.ts'
import { RuntimeError } from '../errors/classes.ts'
import { CommandError } from './failure.ts'
import { namesInFile } from './topic-names-file.ts'

type NameSettings = Pick<Settings, 'stateDir'> & Partial<Pick<Settings, 'topicNames'>>

export const ecomNames = TopicNames.profile('ecom')

/** @throws {UsageError} no such profile, and no file of names */
export const givenNames = ({ topicNames }: Pick<NameSettings, 'topicNames'>) => {
  if (topicNames === undefined) return undefined
  return isProfile(topicNames) ? TopicNames.profile(topicNames) : namesInFile(topicNames)
}

/** For a command that looks, whatever the directory was begun with. @throws {UsageError} */
export const namesToLookFor = (settings: NameSettings): TopicNames =>
  givenNames(settings) ?? keptNames(settings.stateDir) ?? ecomNames

/**
 * For a command on the state of a directory.
 *
 * @throws {UsageError} no such names
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: it was begun with others; the message has the flag
 * that it needs
 */
export const directoryNames = (settings: NameSettings): TopicNames => {
  const { stateDir } = settings
  const [given, kept] = [givenNames(settings), keptNames(stateDir)]
  if (given === undefined || kept === undefined) return given ?? kept ?? ecomNames
  if (given.equals(kept)) return kept
  const topic = catalogueNames.find((name) => given.of(name) !== kept.of(name))!
  const others = given.label === kept.label ? 'it as it is now' : given.label // a file
  const flag = isProfile(kept.label) ? `with --topic-names ${kept.label}` : 'without --topic-names'
  throw new RuntimeError(
    'STREAMS_STATE_MISMATCH',
    `the state in ${stateDir} was made with the topic names of ${kept.label}, not of `
      + `${others}: there the topic ${topic} is ${kept.of(topic)}, here ${given.of(topic)}, `
      + `and its offsets would belong to another topic; start it ${flag}, `
      + 'or choose another --state-dir',
  )
}

/**
 * As `directoryNames`, and written down for the starts to come. The caller holds the lock.
 *
 * @throws {UsageError | RuntimeError} as there
 */
export const claimNames = (settings: NameSettings): TopicNames => {
  const names = directoryNames(settings)
  const file = fileIn(settings.stateDir)
  const kept = { label: names.label, names: Object.fromEntries(names.byCatalogue) }
  writeFileSync(`${file}.new`, `${JSON.stringify(kept, undefined, 2)}\n`)
  renameSync(`${file}.new`, file)
  return names
}

/** @throws {CommandError} the file holds something else */
const keptNames = (stateDir: string): TopicNames | undefined => {
  if (!['state', 'broker'].some((name) => engineOf(join(stateDir, name)) !== undefined)) {
    return undefined
  }
  const file = fileIn(stateDir)
  if (!existsSync(file)) return ecomNames
  try {
    const { label, names } = JSON.parse(readFileSync(file, 'utf8')) as Kept
    // a topic that joined the catalogue since is called as there
    return new TopicNames(label, { ...Object.fromEntries(ecomNames.byCatalogue), ...names })
  } catch (error) {
    throw new CommandError(
      `${file} does not hold the names of the topics (${(error as Error).message}); restore it, `
        + 'or remove it and give the names again with --topic-names',
    )
  }
}

interface Kept {
  readonly label: string
  readonly names: Readonly<Record<string, string>>
}

const fileIn = (stateDir: string): string => join(stateDir, 'topic-names.json')

const isProfile = (text: string): text is ProfileName =>
  (profileNames as readonly string[]).includes(text)
